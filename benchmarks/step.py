"""The live step: from a new candle to the decision that is written, and the memory of the process that does it.

    python -m benchmarks.step [--candles 200] [--warmup 281 1001]

An engine of a paper trader in this process, on a database of its own, RSI with a period that needs that many candles.
Again and again a candle is committed, as the backfiller does, and `Engine.advance` is timed from there. Its parts are
told apart: reading (clock, switches, candles, prices), the evaluation (pandas, `ta`), the commit (synchronous=FULL), and
all else, which is the decision, the books and a line of log. What is measured ends with the commit of the signal and of the order it
led to; prices that fill that order come after. Then the same for a real `python -m trader` of each warm-up, for its
resident memory after so many candles.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import random
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

import schema
from common import log
from common.candle import Candle, Ticker
from common.clock import MarketClock, wall_now
from common.database import Durability
from common.exchange_status import Exchanges, Market
from common.market_data import MarketData
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe
from scripts.local_suite import LocalSuite
from trader.brokers.paper import PaperBroker, PaperTerms
from trader.engine import Engine
from trader.evaluation import Evaluation
from trader.feed import DatabaseFeed
from trader.ledger import Ledger
from trader.rule_settings import RuleSettings
from trader.strategies.rsi import Rsi, RsiParameters

PARTITION = Partition("binance", "BTC/USDT", Timeframe.M1)
MINUTE = PARTITION.timeframe.milliseconds
ID = "bench"
SETTINGS = RuleSettings(
    starting_balance=Decimal(10_000), stake_amount=Decimal(1_000), stop_loss=Decimal("0.05")
)
_WARM = 20  # candles whose steps are not counted
_SIGNAL_WITHIN_S = 30.0


def main() -> None:
    """Prints the figures of each warm-up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--candles", type=int, default=200)
    parser.add_argument("--warmup", type=int, nargs="+", default=[281, 1001])
    options = parser.parse_args()
    for warmup in options.warmup:
        period = (warmup - 1) // 20
        with tempfile.TemporaryDirectory() as folder:
            _steps(Path(folder), period, options.candles)
        with tempfile.TemporaryDirectory() as folder:
            _memory(Path(folder), period, options.candles)


def _strategy(period: int) -> Rsi:
    """Levels that are reached often, so that there are orders among the decisions."""
    return Rsi(RsiParameters(period=period, oversold=45.0, overbought=55.0))


class _MarketOf:
    """One partition whose candles close when this says so, written as the backfiller writes."""

    def __init__(self, url: str, history: int) -> None:
        self._database = schema.open_database(
            url, durability=Durability.PROCESS_CRASH, checkpoint_pages=1000
        )
        self._data = MarketData(self._database)
        self._exchanges = Exchanges(self._database)
        self._chance = random.Random(1)  # noqa: S311 - a market that wanders
        self._price = 100.0
        self._exchanges.record_markets(
            PARTITION.exchange, [PARTITION.timeframe.value], [Market(PARTITION.symbol)]
        )
        self.newest = PARTITION.timeframe.newest_closed(wall_now()) - history * MINUTE
        self._store([self._next() for _ in range(history)])

    def close_one(self) -> None:
        """A candle closes, and is there; the exchange's clock is at its close."""
        self._store([self._next()])

    def tick(self) -> None:
        """Prices a moment later, at which an order is filled."""
        at = self.newest + MINUTE + 1_000
        ticker = Ticker(at, self._price, self._price + 0.01, self._price)
        self._data.store_tickers(PARTITION.exchange, {PARTITION.symbol: ticker}, keep_since=0)

    def is_signalled(self) -> bool:
        """Whether the newest candle has its signal."""
        query = sa.select(sa.func.max(schema.signals.c.timestamp))
        with self._database.read() as connection:
            return bool(connection.execute(query).scalar() == self.newest)

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def _store(self, candles: list[Candle]) -> None:
        clock = MarketClock(self.newest + MINUTE, wall_now())
        self._exchanges.record_clock(PARTITION.exchange, clock)
        self._data.store_candles(PARTITION, candles)

    def _next(self) -> Candle:
        self.newest += MINUTE
        opened, self._price = self._price, round(self._price * self._chance.gauss(1, 0.002), 2)
        high, low = max(opened, self._price), min(opened, self._price)
        return Candle(self.newest, opened, high, low, self._price, 1.0)


# --- the step ----------------------------------------------------------------------------------------------


class _Timed:
    """Stands before a part of the engine, and adds up the seconds that are spent in it."""

    def __init__(self, part: Any) -> None:
        self.spent = 0.0
        self._part = part

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return found(*arguments, **options)
            finally:
                self.spent += time.perf_counter() - began

        return timed


def _steps(folder: Path, period: int, candles: int) -> None:
    strategy = _strategy(period)
    url = f"sqlite:///{folder / 'trading.db'}"
    schema.upgrade(url)
    market = _MarketOf(url, strategy.warmup)
    trader = schema.open_database(url)
    balance = SETTINGS.starting_balance
    Registry(trader).register(
        Registration(ID, PARTITION, "rsi", None, "paper", {}, strategy.warmup, balance)
    )
    parts: dict[str, Any] = {
        "reading": _Timed(DatabaseFeed(trader, PARTITION, ID)),
        "evaluation": _Timed(Evaluation(strategy, PARTITION.timeframe)),
        "commit": _Timed(Ledger(trader, ID, balance)),
    }
    with (folder / "log").open("w") as output, contextlib.redirect_stderr(output):
        log.set_up({"LOG_FORMAT": "json"}, strategy_id=ID)
        engine = Engine(
            strategy_id=ID,
            partition=PARTITION,
            rules=SETTINGS.rules,
            evaluation=parts["evaluation"],
            feed=parts["reading"],
            broker=PaperBroker(parts["reading"], PaperTerms(SETTINGS.fee_rate)),
            journal=parts["commit"],
        )
        engine.advance()
        steps = [_step(engine, market, parts) for _ in range(_WARM + candles)][_WARM:]
    with trader.read() as connection:
        orders = connection.execute(sa.select(sa.func.count(schema.orders.c.order_id))).scalar_one()
    print(f"{strategy.warmup} candles to warm up, {candles} new ones, {orders} orders:")
    for name in steps[0]:
        print(f"  {name:12} {_spread(sorted(step[name] for step in steps))}", flush=True)
    trader.close()
    market.close()


def _step(engine: Engine, market: _MarketOf, parts: dict[str, Any]) -> dict[str, float]:
    """One new candle: what it took in all and of what, in ms."""
    market.close_one()
    for part in parts.values():
        part.spent = 0.0
    began = time.perf_counter()
    engine.advance()
    took = {"in all": time.perf_counter() - began}
    took |= {name: part.spent for name, part in parts.items()}
    took["decision"] = took["in all"] - sum(part.spent for part in parts.values())
    market.tick()
    engine.advance()
    return {name: seconds * 1000 for name, seconds in took.items()}


def _spread(ordered: list[float]) -> str:
    p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return (
        f"median {ordered[len(ordered) // 2]:.2f} ms, p99 {p99:.2f} ms, worst {ordered[-1]:.2f} ms"
    )


# --- the memory --------------------------------------------------------------------------------------------


def _memory(folder: Path, period: int, candles: int) -> None:
    """Of a trader as it is started: python -m trader."""
    with LocalSuite(folder) as suite:
        market = _MarketOf(suite.database_url, _strategy(period).warmup)
        daemon = suite.start_trader(
            ID,
            EXCHANGE=PARTITION.exchange,
            SYMBOL=PARTITION.symbol,
            TIMEFRAME=PARTITION.timeframe.value,
            RSI_PERIOD=str(period),
            RSI_OVERSOLD="45",
            RSI_OVERBOUGHT="55",
            LOG_FORMAT="json",
        )
        process = psutil.Process(daemon.process.pid)
        found = []
        for number in range(candles):
            _wait_for_signal(suite, market)
            if number in {0, candles - 1}:
                memory = process.memory_full_info()
                found.append(f"RSS {memory.rss / 1e6:.1f} MB (its own {memory.uss / 1e6:.1f})")
            market.tick()
            market.close_one()
        print(
            f"  a trader process after its first candle: {found[0]}, after {candles}: {found[-1]}"
        )
        market.close()


def _wait_for_signal(suite: LocalSuite, market: _MarketOf) -> None:
    deadline = time.monotonic() + _SIGNAL_WITHIN_S
    while not market.is_signalled():
        suite.require_running()
        if time.monotonic() > deadline:
            raise SystemExit(f"the trader wrote no signal within {_SIGNAL_WITHIN_S:.0f} s")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
