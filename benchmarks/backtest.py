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
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

import schema
from common.market_data import insert_rows
from common.partition import Partition
from common.timeframe import Timeframe
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
BTC_5M = Partition("binance", "BTC/USDT", Timeframe.M5)
START = 1_577_836_800_000  # 2020-01-01T00:00Z
CONFIGURED = {
    "TIMEFRAME": "5m",
    "RSI_TRIGGER": "crossing",
    "STOP_LOSS": "0.1",
    "STAKE_AMOUNT": "100",
}
ROOT = Path(__file__).parents[1]

# By a process that is small itself: on Linux the peak of a child begins with that of who started it.
_MEASURE = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


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
            _fill(url, candles)
            runs = [_run(url) for _ in range(options.rounds)]
            wall, processor = (statistics.median(run[at] for run in runs) for at in (0, 1))
            print(
                f"{candles:,} candles, median of {options.rounds}: {wall:.2f} s ({min(r[0] for r in runs):.2f} at best), "
                f"{processor:.2f} s of processor, {max(run[2] for run in runs):.0f} MB"
            )
            _parts(url)


def _fill(url: str, count: int) -> None:
    """Prices that wander by 0.2 % a candle, in cents."""
    schema.upgrade(url)
    chance = np.random.default_rng(1)
    close = np.round(100 * np.exp(np.cumsum(chance.normal(0, 0.002, count))), 2)
    opened = np.concatenate([[100.0], close[:-1]])
    wick = np.abs(chance.normal(0, 0.001, (2, count)))
    high = np.round(np.maximum(opened, close) * (1 + wick[0]), 2)
    low = np.round(np.minimum(opened, close) * (1 - wick[1]), 2)
    timestamps = START + BTC_5M.timeframe.milliseconds * np.arange(count)
    columns = (timestamps, opened, high, low, close, np.ones(count))
    database = schema.open_database(url)
    with database.write() as connection:
        insert_rows(connection, BTC_5M, zip(*(column.tolist() for column in columns), strict=True))
    database.close()


def _run(url: str) -> tuple[float, float, float]:
    """Wall time and processor time in seconds, and peak resident memory in MB, of one process."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, sys.executable, "-m", "trader", "backtest"],
        cwd=ROOT,
        env={**os.environ, **CONFIGURED, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    wall, processor, peak = map(float, done.stdout.split())
    return wall, processor, peak * (1 if sys.platform == "darwin" else 1024) / 1e6


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
