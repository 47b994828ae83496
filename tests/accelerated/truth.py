"""The database against the exchange's truth, slot by slot of each partition's grid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database
    from common.partition import Partition

Values = tuple[float, ...]
Hole = tuple[
    int, int, str
]  # from, to (open times, both included) and the state of a row of the ledger
_MOST_TOLD = 5


@dataclass(slots=True)
class Verdict:
    """How often each thing was found, and examples of what must not be.

    `needs` is what has to be found at all: an empty database is equal to nothing.
    """

    needs: str = "candles equal"
    counts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong, and something was compared."""
        return not self.wrong and self.counts[self.needs] > 0

    def blame(self, what: str, where: str) -> None:
        """Counts something that must not be."""
        self.wrong[what] += 1
        if self.wrong[what] <= _MOST_TOLD:
            self.examples.append(f"{what}: {where}")

    def __str__(self) -> str:
        told = {**self.counts, **self.wrong}
        counts = ", ".join(f"{count:,} {what}" for what, count in told.items())
        return "\n".join(["GOOD" if self.is_good else "BAD", counts, *self.examples])


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of one partition."""

    partition: Partition
    slots: range  # the open times that are judged
    stored: Mapping[int, Values]
    truth: Mapping[int, Values]
    holes: list[Hole]


def judge(verdict: Verdict, sides: Sides) -> None:
    """Compares one partition: each slot is a candle equal to the truth's, or a hole that is explained.

    What was stored beyond the slots has to be equal too: a candle that was stored while it was open is not.
    """
    stored, truth = sides.stored, sides.truth
    states = _states(sides.holes, sides.slots.step)
    for slot in sides.slots:
        where = f"{sides.partition} {slot}, in the ledger {states.get(slot)}"
        mine, true = stored.get(slot), truth.get(slot)
        if mine != true:
            what = "missing" if mine is None else "invented" if true is None else "different"
            verdict.blame(what, f"{where}: {mine} for {true}")
        elif mine is None and slot not in states:
            verdict.blame("unexplained hole", where)
        elif mine is not None and slot in states:
            verdict.blame("stored, and a hole in the ledger", where)
        else:
            verdict.counts["holes explained" if mine is None else "candles equal"] += 1
    for slot in stored.keys() - set(sides.slots):
        if stored[slot] != truth.get(slot):
            verdict.blame(
                "wrong outside", f"{sides.partition} {slot}: {stored[slot]} for {truth.get(slot)}"
            )
        else:
            verdict.counts["candles equal outside"] += 1


def stored_candles(database: Database, partition: Partition) -> dict[int, Values]:
    """All stored candles of a partition, by their open time."""
    table = schema.ohlcv_data
    query = sa.select(
        table.c.timestamp, table.c.open, table.c.high, table.c.low, table.c.close, table.c.volume
    ).where(*_of(table, partition))
    with database.read() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def holes_of(database: Database, partition: Partition) -> list[Hole]:
    """What the gap ledger says is missing of a partition."""
    table = schema.gaps
    query = sa.select(table.c.start, table.c.end, table.c.state).where(
        *_of(table, partition), table.c.state != "filled"
    )
    with database.read() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def unsettled(database: Database, partition: Partition, first: int, last: int) -> str | None:
    """What the backfiller has still to do of a span that lies behind; None: nothing."""
    table, step = schema.ohlcv_data, partition.timeframe.milliseconds
    query = sa.select(
        sa.func.max(table.c.timestamp),
        sa.func.count().filter(table.c.timestamp.between(first, last)),
    ).where(*_of(table, partition), table.c.timestamp >= first)
    with database.read() as connection:
        newest, count = connection.execute(query).one()
    if newest is None or newest < last + 2 * step:  # by then the newest few have been compared, too
        return f"{partition}: expected candles until 2 after {last}, found {newest}"
    holes = [hole for hole in holes_of(database, partition) if hole[0] <= last]
    if asked := [hole for hole in holes if hole[2] in {"found", "fetching"}]:
        return f"{partition}: expected no hole to be asked for, found {asked[:_MOST_TOLD]}"
    known = count + sum((min(until, last) - since) // step + 1 for since, until, _ in holes)
    if known != (expected := (last - first) // step + 1):
        return f"{partition}: expected {expected} candles and holes, found {known}"
    return None


def _states(holes: list[Hole], step: int) -> dict[int, str]:
    """What the ledger says of each slot that it calls a hole."""
    return {slot: state for first, last, state in holes for slot in range(first, last + step, step)}


def _of(table: sa.Table, partition: Partition) -> list[sa.ColumnElement[bool]]:
    return [
        table.c.exchange == partition.exchange,
        table.c.symbol == partition.symbol,
        table.c.timeframe == partition.timeframe.value,
    ]
