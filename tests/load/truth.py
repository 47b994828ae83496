"""What must be true of a fleet's database: nothing lost, nothing doubled, the books add up."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

import schema
from tests.accelerated.truth import Sides, holes_of, judge, stored_candles
from tests.accelerated_live.truth import halts, judge_file, judge_signals
from tests.load.plan import DAY_MS
from trader.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.database import Database
    from common.partition import Partition
    from tests.accelerated.truth import Verdict
    from tests.load.plan import Fleet, Trading

ZERO = Decimal(0)
_UNDONE = ("new", "open")


def judge_fleet(
    verdict: Verdict,
    database: Database,
    fleet: Fleet,
    truth: Callable[[Partition, int, int], dict[int, tuple[float, ...]]],
) -> None:
    """Judges the file, the candles of each partition, and signals and books of each trader."""
    judge_file(verdict, database)
    halts(verdict, database)
    for partition in fleet.kept:
        stored = stored_candles(database, partition)
        if not stored:
            verdict.blame("no candles", str(partition))
            continue
        first, last, step = min(stored), max(stored), partition.timeframe.milliseconds
        slots, holes = range(first, last + step, step), holes_of(database, partition)
        judge(verdict, Sides(partition, slots, stored, truth(partition, first, last), holes))
    for trading in fleet.trading:
        judge_signals(verdict, trading, database)
        judge_books(verdict, trading, database)


def judge_books(verdict: Verdict, trading: Trading, database: Database) -> None:
    """Orders, trades and position of a trader on paper: each once, and the sum of each other."""
    who = trading.strategy_id
    orders, trades, positions = (
        _rows(database, table, who) for table in (schema.orders, schema.trades, schema.positions)
    )
    filled = Counter(row["order_id"] for row in orders if row["status"] == "filled")
    traded = Counter(row["order_id"] for row in trades)
    if filled != traded:
        verdict.blame("orders and trades differ", f"{who}: {filled} and {traded}")
    if (undone := sum(row["status"] in _UNDONE for row in orders)) > 1:
        verdict.blame("doubled order", f"{who}: {undone} on their way")
    sides = [row["side"] for row in trades]
    if sides != (["buy", "sell"] * len(sides))[: len(sides)]:
        verdict.blame("doubled trade", f"{who}: {sides}")
    held = sum((row["amount"] for row in positions if row["status"] == "open"), ZERO)
    bought = sum((_signed(row, row["amount"]) for row in trades), ZERO)
    paid = sum((_signed(row, row["cost"]) + row["fee"] for row in trades), ZERO)
    balance = Decimal(trading.settings["STARTING_BALANCE"])
    cash = Ledger(database, who, balance).books().cash
    for what, found, expected in (
        ("position", held, bought - sum((row["dust"] for row in positions), ZERO)),
        ("cash", cash, balance - paid),
    ):
        if found != expected:
            verdict.blame(f"{what} is not the sum of trades", f"{who}: {found} for {expected}")
        else:
            verdict.counts["sums of trades equal"] += 1
    verdict.counts["orders"] += len(orders)
    verdict.counts["trades"] += len(trades)


def _signed(row: dict[str, Any], value: Decimal) -> Decimal:
    return value if row["side"] == "buy" else -value


def _rows(database: Database, table: sa.Table, strategy_id: str) -> list[dict[str, Any]]:
    key = next(iter(table.primary_key.columns))
    query = sa.select(table).where(table.c.strategy_id == strategy_id).order_by(key)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def behind(database: Database, fleet: Fleet, end: int | None) -> list[str]:
    """The traders without a signal of the last candle that closed up to `end`; without any, if that is None."""
    table = schema.signals
    query = sa.select(table.c.strategy_id, sa.func.max(table.c.timestamp)).group_by(
        table.c.strategy_id
    )
    with database.read() as connection:
        last = {row[0]: int(row[1]) for row in connection.execute(query)}

    def is_behind(one: Trading) -> bool:
        newest = last.get(one.strategy_id)
        due = 0 if end is None else one.partition.timeframe.newest_closed(end)
        return newest is None or newest < due

    return [one.strategy_id for one in fleet.trading if is_behind(one)]


def without_history(database: Database, fleet: Fleet) -> list[str]:
    """The partitions whose history is not all there yet."""
    table = schema.ohlcv_data
    key = (table.c.exchange, table.c.symbol, table.c.timeframe)
    query = sa.select(*key, sa.func.count()).group_by(*key)
    with database.read() as connection:
        found = {tuple(row[:3]): int(row[3]) for row in connection.execute(query)}
    left = []
    for one in fleet.kept:
        wanted = fleet.history_days * DAY_MS // one.timeframe.milliseconds
        if found.get((one.exchange, one.symbol, one.timeframe.value), 0) < wanted:
            left.append(str(one))
    return left
