"""A backtest as a user runs it: the process from its start to the printed result.

    python -m benchmarks.backtest [--candles 50000 500000] [--rounds 5]

Makes a database of generated 5m candles for each size, and runs `python -m trader backtest` on it: RSI 14 in crossing
mode with a 10 % stop. Prints wall and processor time and the peak of resident memory of that process; then, in this
one, what each part of it takes, and an HTML report.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import schema
from benchmarks.made_up import BTC_5M, columns, store
from benchmarks.process import cost_of
from trader.backtest.account import Terms
from trader.backtest.candles import from_database
from trader.backtest.metrics import Metrics
from trader.backtest.page.page import as_page
from trader.backtest.result import Result
from trader.backtest.setup import Setup
from trader.backtest.signals import signals_of
from trader.backtest.simulation import simulate
from trader.core.rules import MarketRules
from trader.rule_settings import RuleSettings
from trader.strategies.rsi import Rsi, RsiParameters

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
CONFIGURED = {
    "TIMEFRAME": "5m",
    "RSI_TRIGGER": "crossing",
    "STOP_LOSS": "0.1",
    "STAKE_AMOUNT": "100",
}


def main() -> None:
    """Prints the figures of each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--candles", type=int, nargs="+", default=[50_000, 500_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for candles in options.candles:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'trading.db'}"
            store(url, columns(candles))
            environment = {**os.environ, **CONFIGURED, "DATABASE_URL": url}
            command = (sys.executable, "-m", "trader", "backtest")
            runs = [cost_of(command, environment) for _ in range(options.rounds)]
            print(
                f"{candles:,} candles, median of {options.rounds}: {median(run.wall_s for run in runs):.2f} s "
                f"({min(run.wall_s for run in runs):.2f} at best), {median(run.processor_s for run in runs):.2f} s of "
                f"processor, {max(run.peak_mb for run in runs):.0f} MB"
            )
            _parts(url)


def _parts(url: str) -> None:
    """What reading, the strategy and the simulation take once everything is loaded; as the program, without a collector."""
    gc.disable()
    strategy = Rsi(RsiParameters(trigger="crossing"))
    settings = RuleSettings(
        starting_balance=Decimal(10_000), stake_amount=Decimal(100), stop_loss=Decimal("0.1")
    )
    terms = Terms(
        "benchmark", BTC_5M.symbol, settings.starting_balance, settings.rules, MarketRules()
    )
    database = schema.open_database(url)
    read_s, candles = _timed(lambda: from_database(database, BTC_5M, strategy.warmup, None, None))
    database.close()
    said_s, signals = _timed(lambda: signals_of(strategy, candles, keep_indicators=True))
    simulated_s, account = _timed(lambda: simulate(terms, candles, signals))
    trades = len(account.fills)
    setup = Setup("benchmark", BTC_5M, "rsi", strategy, {}, settings)
    result = Result.of(terms, candles, account)
    counted_s, metrics = _timed(lambda: Metrics.of(result))
    drawn_s, page = _timed(lambda: as_page(setup, result, metrics, signals.indicators))
    print(
        f"  reading {read_s:.2f} s, signals {said_s:.2f} s, simulation with its books {simulated_s:.2f} s for "
        f"{trades:,} trades ({simulated_s / max(trades, 1) * 1e6:.0f} us each)\n"
        f"  figures {counted_s:.2f} s, HTML report {drawn_s:.2f} s, {len(page) / 1e6:.2f} MB"
    )


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done


if __name__ == "__main__":
    main()
