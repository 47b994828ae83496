"""What is there of each partition, what is missing and why: read for the commands `coverage` and `gaps`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.overview import partitions
from common.timeframe import Timeframe
from schema import archived_months, gaps
from schema import partitions as notes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database
    from common.overview import PartitionOverview

Key = tuple[str, str, str]  # exchange, symbol, timeframe


@dataclass(frozen=True, slots=True)
class Selection:
    """Which partitions: those that have all of what is given."""

    exchange: str | None = None
    symbol: str | None = None
    timeframe: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """What is given, by column."""
        columns = {"exchange": self.exchange, "symbol": self.symbol, "timeframe": self.timeframe}
        return {name: value for name, value in columns.items() if value is not None}

    def of(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """The condition for a table that has these columns."""
        return sa.and_(sa.true(), *(table.c[name] == value for name, value in self.given.items()))

    def has(self, key: Key) -> bool:
        """Whether that partition is one of them."""
        own = as_columns(key)
        return all(own[name] == value for name, value in self.given.items())

    def words(self, key: Key) -> str:
        """What that partition has where something is given here."""
        own = as_columns(key)
        return " ".join(own[name] for name in self.given)


@dataclass(frozen=True, slots=True)
class Holes:
    """The gaps of a partition that are in one state: how many, of how many candles, when asked again."""

    gaps: int
    candles: int
    ask_again_at: int | None


@dataclass(frozen=True, slots=True)
class Archived:
    """What of a partition is in the archive."""

    months: int
    candles: int
    first: int
    last: int


@dataclass(slots=True)
class Coverage:
    """All that is known of one partition. `stored` is None while it has no candle."""

    key: Key
    stored: PartitionOverview | None = None
    holes: dict[str, Holes] = field(default_factory=dict)
    archived: Archived | None = None
    built_from: str | None = None
    reach: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class GapRow:
    """One row of the gap ledger. Times are milliseconds UTC."""

    key: Key
    start: int
    end: int
    state: str
    found_at: int
    asked: int
    ask_again_at: int | None

    @property
    def candles(self) -> int:
        """How many are missing."""
        return (self.end - self.start) // _step(self.key) + 1


def known(database: Database) -> set[Key]:
    """Every partition that the database has anything of."""
    found = {key for key, *_ in _rows(database, _grouped(gaps, Selection()))}
    found |= {key for key, *_ in _rows(database, _grouped(archived_months, Selection()))}
    found |= {key for key, *_ in _rows(database, _grouped(notes, Selection()))}
    return found | {row.key for row in partitions(database)}


def coverage(database: Database, selection: Selection) -> list[Coverage]:
    """The selected partitions, in order. Counts their candles: half a second for five million."""
    found: dict[Key, Coverage] = {}

    def of(key: Key) -> Coverage:
        return found.setdefault(key, Coverage(key))

    for row in partitions(database):
        if selection.has(row.key):
            of(row.key).stored = row
    for key, state, count, length, again in _rows(database, _gap_sums(selection)):
        of(key).holes[state] = Holes(count, length // _step(key) + count, again)
    for key, *sums in _rows(database, _archive_sums(selection)):
        of(key).archived = Archived(*sums)
    for key, built_from, reach, note in _rows(database, _notes(selection)):
        own = of(key)
        own.built_from, own.reach, own.note = built_from, reach, note
    return [found[key] for key in sorted(found)]


def gap_rows(database: Database, selection: Selection, state: str | None) -> list[GapRow]:
    """The selected rows of the gap ledger, partition by partition, oldest first."""
    query = (
        sa.select(
            *_key_of(gaps),
            gaps.c.start,
            gaps.c.end,
            gaps.c.state,
            gaps.c.found_at,
            gaps.c.asked,
            gaps.c.ask_again_at,
        )
        .where(selection.of(gaps))
        .order_by(*_key_of(gaps), gaps.c.start)
    )
    if state is not None:
        query = query.where(gaps.c.state == state)
    return [GapRow(*row) for row in _rows(database, query)]


def _gap_sums(selection: Selection) -> sa.Select[Any]:
    length = sa.func.sum(gaps.c.end - gaps.c.start)
    sums = (sa.func.count(), length, sa.func.min(gaps.c.ask_again_at))
    query = sa.select(*_key_of(gaps), gaps.c.state, *sums).where(selection.of(gaps))
    return query.group_by(*_key_of(gaps), gaps.c.state)


def _archive_sums(selection: Selection) -> sa.Select[Any]:
    table = archived_months
    sums = (
        sa.func.count(),
        sa.func.sum(table.c.candles),
        sa.func.min(table.c.first),
        sa.func.max(table.c.last),
    )
    return _grouped(table, selection).add_columns(*sums)


def _notes(selection: Selection) -> sa.Select[Any]:
    columns = (notes.c.built_from, notes.c.reach, notes.c.note)
    return sa.select(*_key_of(notes), *columns).where(selection.of(notes))


def _grouped(table: sa.Table, selection: Selection) -> sa.Select[Any]:
    return sa.select(*_key_of(table)).where(selection.of(table)).group_by(*_key_of(table))


def _key_of(table: sa.Table) -> list[Any]:
    return [table.c.exchange, table.c.symbol, table.c.timeframe]


def _rows(database: Database, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """The rows, with the first three columns as one key."""
    with database.read() as connection:
        return [((row[0], row[1], row[2]), *row[3:]) for row in connection.execute(query)]


def _step(key: Key) -> int:
    return Timeframe(key[2]).milliseconds


def as_columns(key: Key) -> Mapping[str, str]:
    """The key as a program wants it."""
    return dict(zip(("exchange", "symbol", "timeframe"), key, strict=True))
