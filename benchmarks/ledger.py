"""Ledger transactions of many traders at once on one database, beside a backfiller that stores candles.

    python -m benchmarks.ledger [--traders 1 10 50] [--seconds 20] [--loads saturated paced]

Each trader is a process with a strategy_id and a Ledger of its own (synchronous=FULL). A round trip is four
transactions: a signal with its order, that order's trade with the position, and both again for the exit. `saturated`:
one round trip after the other, with nothing between. `paced`: one a second, which all of them begin at the same moment,
as traders do that one candle woke. Beside them a process commits 1,000 candles twenty times a second, which is a first
load of history. A transaction is timed as the trader sees it: from the call, through its waiting for the lock, to the
end of the commit. At the end the rows in the database are compared with what the traders were told is written.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

import schema
from common.candle import Candle
from common.database import Durability
from common.errors import TransientError
from common.market_data import MarketData
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe
from trader.core.books import Books
from trader.core.equity import Marks
from trader.core.fills import whole
from trader.core.order import Order, Purpose, Side, client_order_id
from trader.core.outcome import Outcome
from trader.core.rules import MarketRules
from trader.core.signal import Signal, SignalKind
from trader.ledger import Ledger
from trader.roles import Evaluated

if TYPE_CHECKING:
    from collections.abc import Callable

PARTITION = Partition("binance", "BTC/USDT", Timeframe.M1)
MINUTE = PARTITION.timeframe.milliseconds
START = 1_577_836_800_000  # 2020-01-01T00:00Z
BALANCE = Decimal(10_000)
FEE_RATE = Decimal("0.001")
BATCH = 1_000  # candles
BATCH_EVERY_S = 0.05
_TRANSACTIONS = 4  # of a round trip
_WARM = 3  # round trips of each trader before it counts: the first ones prepare its statements
_START_WITHIN_S = 300.0
_LAST_WITHIN_S = 120.0  # the last round trip of each trader


@dataclass(frozen=True, slots=True)
class Run:
    """What all processes of one measurement have in common."""

    url: str
    load: str
    seconds: float
    together: Any  # a barrier: all have started, and later all have finished
    answers: Any  # a queue of (name, Told)


@dataclass(slots=True)
class Told:
    """What one process did: how long each of its transactions took, in ms, and the errors that reached it."""

    took: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0  # in all

    def commit(self, write: Callable[[], object]) -> None:
        """One transaction, tried again for as long as it is refused."""
        began = time.perf_counter()
        while True:
            try:
                write()
            except (TransientError, sa.exc.OperationalError) as error:
                self.errors[f"{type(error).__name__}: {error}"] += 1
            else:
                self.took.append((time.perf_counter() - began) * 1000)
                return


def main() -> None:
    """Prints the figures of each load for each number of traders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--traders", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--seconds", type=float, default=20.0)
    loads = ("saturated", "paced")
    parser.add_argument("--loads", nargs="+", choices=loads, default=loads)
    options = parser.parse_args()
    for load in options.loads:
        for traders in options.traders:
            _measure(load, traders, options.seconds)


def _measure(load: str, traders: int, seconds: float) -> None:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'trading.db'}"
        schema.upgrade(url)
        run = Run(url, load, seconds, context.Barrier(traders + 1), context.Queue())
        work = [context.Process(target=_trade, args=(run, f"bench-{n}")) for n in range(traders)]
        work.append(context.Process(target=_backfill, args=(run,)))
        for process in work:
            process.start()
        patience_s = _START_WITHIN_S + seconds + _LAST_WITHIN_S
        told = dict(run.answers.get(timeout=patience_s) for _ in work)
        for process in work:
            process.join()
        backfiller = told.pop("backfiller")
        warm = traders * _WARM * _TRANSACTIONS
        _require_all_written(url, warm + sum(len(one.took) for one in told.values()))
    errors = sum((one.errors for one in told.values()), Counter(backfiller.errors))
    took = sorted(ms for one in told.values() for ms in one.took)
    rate = len(took) / max(one.seconds for one in told.values())
    print(
        f"{load}, {traders:2} traders: {rate:,.0f} commits/s; a transaction takes {_spread(took)}\n"
        f"  beside them {len(backfiller.took) / backfiller.seconds:.1f} batches of {BATCH:,} candles a second, "
        f"{_spread(sorted(backfiller.took))}; errors that reached a caller: {dict(errors) or 'none'}",
        flush=True,
    )


def _spread(ordered: list[float]) -> str:
    p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
    median = ordered[len(ordered) // 2]
    return f"median {median:.1f} ms, p99 {p99:.1f} ms, worst {ordered[-1]:.0f} ms"


def _require_all_written(url: str, commits: int) -> None:
    """Every transaction has written one signal or one trade."""
    database = schema.open_database(url)
    with database.read() as connection:
        found = sum(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (schema.signals, schema.trades)
        )
    database.close()
    if found != commits:
        raise SystemExit(f"expected a row of each of {commits} transactions, found {found}")


# --- the processes -----------------------------------------------------------------------------------------


def _trade(run: Run, strategy_id: str) -> None:
    database = schema.open_database(run.url)
    Registry(database).register(
        Registration(strategy_id, PARTITION, "rsi", None, "paper", {}, 281, BALANCE)
    )
    trader = _Trader(Ledger(database, strategy_id, BALANCE), strategy_id)
    for _ in range(_WARM):
        trader.round_trip()
    trader.told = Told()
    run.together.wait(_START_WITHIN_S)
    began = time.monotonic()
    while time.monotonic() < began + run.seconds:
        if run.load == "paced":
            time.sleep(1 - time.time() % 1)
        trader.round_trip()
    trader.told.seconds = time.monotonic() - began
    run.together.wait(
        _LAST_WITHIN_S
    )  # a process that ends takes processor time from those that are measured
    database.close()
    run.answers.put((strategy_id, trader.told))


class _Trader:
    """Writes round trips as the engine and the account do: computed first, then written."""

    def __init__(self, ledger: Ledger, strategy_id: str) -> None:
        self.told = Told()
        self._ledger = ledger
        self._strategy_id = strategy_id
        self._books = Books(BALANCE)
        self._marks = Marks.first(BALANCE)
        self._opens = START  # of the candle that is decided on next

    def round_trip(self) -> None:
        """In at one candle, out at the next."""
        self._order(Side.BUY, 100.0 + self._opens // MINUTE % 7)
        self._order(Side.SELL, 101.0 + self._opens // MINUTE % 5)

    def _order(self, side: Side, price: float) -> None:
        is_buy = side is Side.BUY
        closes = self._opens + MINUTE
        purpose, kind = (
            (Purpose.ENTRY, SignalKind.BUY) if is_buy else (Purpose.EXIT, SignalKind.SELL)
        )
        reason = f"RSI {29.87 if is_buy else 70.13} is beyond its level"
        signal = Signal(kind, self._opens, price, reason, {"rsi": 29.87 if is_buy else 70.13})
        self._marks = self._marks.after(closes, self._books.equity(price))
        name = client_order_id(self._strategy_id, PARTITION.symbol, purpose, self._opens)
        amount = Decimal("9.98012") if self._books.position is None else self._books.position.amount
        order = Order(
            name, PARTITION.symbol, side, amount, reason, self._opens, closes, purpose=purpose
        )
        evaluated = [Evaluated(signal, f"{side.value} {amount:f}", self._marks)]
        self.told.commit(lambda: self._ledger.record_signals(evaluated, order))

        outcome = Outcome.filled(whole(order, Decimal(str(price)), FEE_RATE, closes, "paper"))
        books = self._books.ordered(order)
        settlement = books.settled(outcome, market=MarketRules(), now=closes)
        self.told.commit(lambda: self._ledger.record_outcome(order, outcome, settlement))
        self._books = settlement.books
        self._opens += MINUTE


def _backfill(run: Run) -> None:
    """Stores candles as the backfiller does: its durability, its checkpoints."""
    database = schema.open_database(
        run.url, durability=Durability.PROCESS_CRASH, checkpoint_pages=1000
    )
    data, told = MarketData(database), Told()
    run.together.wait(_START_WITHIN_S)
    began = time.monotonic()
    number = 0
    while time.monotonic() < began + run.seconds:
        first = START + number * BATCH * MINUTE
        candles = [
            Candle(first + at * MINUTE, 100.0, 110.0, 90.0, 101.5, 12.25) for at in range(BATCH)
        ]
        told.commit(partial(data.store_candles, PARTITION, candles))
        number += 1
        time.sleep(max(0.0, began + number * BATCH_EVERY_S - time.monotonic()))
    told.seconds = time.monotonic() - began
    run.together.wait(_LAST_WITHIN_S)
    database.close()
    run.answers.put(("backfiller", told))


if __name__ == "__main__":
    main()
