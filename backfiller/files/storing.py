"""Stores checked rows of one partition, and says of each what was there before."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from backfiller.files.pace import Pace
from common.market_data import candles_at, candles_between, insert_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import sqlalchemy as sa

    from common.archive import Archive
    from common.database import Database
    from common.market_data import Row
    from common.month import Month
    from common.partition import Partition

_MONTHS_KEPT = 3
_DENSE = 8  # rows are read as a range if it holds at most so many times as many candles


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A row that says otherwise than the candle that is kept."""

    row: Row
    kept: Row


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some rows: the numbers add up to theirs."""

    stored: int
    there: int  # already there, with the same values
    repeated: Sequence[Contradiction]  # an earlier row of this file has other values
    different: Sequence[Contradiction]  # the candle was there before, with other values


class Store:
    """Takes one file's rows into one partition. What is there, in database or archive, stays as it is."""

    def __init__(
        self, database: Database, archive: Archive, partition: Partition, *, now: int
    ) -> None:
        """`now` is this machine's time, which no row is after."""
        self._partition = partition
        self._archived = _Archived(archive, partition)
        self._step = partition.timeframe.milliseconds
        # A byte for each candle since 1970: only the pages that are written to take memory.
        self._stored_here = mmap.mmap(-1, now // self._step + 1)
        self._pace = Pace(database, size=2_000, least=250, most=8_000)

    @property
    def batch(self) -> int:
        """How many rows to give next."""
        return self._pace.size

    def take(self, rows: Sequence[Row]) -> Outcome:
        """Stores those of the rows that are not there yet, in one short transaction.

        Args:
            rows: in the order of time; of the same time, the first counts.

        Raises:
            DatabaseLocked: the write lock was not to be had within 10 seconds.
        """
        with self._pace.write(len(rows)) as connection:
            known = self._known(connection, rows)
            simple = not known and _is_rising(rows)
            new, old = (rows, []) if simple else _parted(rows, known)
            if new:
                insert_rows(connection, self._partition, new)
        for row in new:
            self._stored_here[row[0] // self._step] = 1
        return self._judged(len(new), old)

    def _known(self, connection: sa.Connection, rows: Sequence[Row]) -> dict[int, Row]:
        """The candles that are there at the times of these rows.

        The database first, under the write lock: what the archiver has deleted from it by now has
        been in the archive since before.
        """
        first, last = rows[0][0], rows[-1][0]
        if (last - first) // self._step < len(rows) * _DENSE:
            found = candles_between(connection, self._partition, first, last)
        else:
            found = candles_at(connection, self._partition, [row[0] for row in rows])
        return self._archived.at(rows) | {row[0]: row for row in found}

    def _judged(self, stored: int, old: Iterable[tuple[Row, Row]]) -> Outcome:
        there, repeated, different = 0, [], []
        for row, kept in old:
            if row == kept:
                there += 1
            elif self._stored_here[row[0] // self._step]:
                repeated.append(Contradiction(row, kept))
            else:
                different.append(Contradiction(row, kept))
        return Outcome(stored, there, repeated, different)


def _is_rising(rows: Sequence[Row]) -> bool:
    """Whether no two of the rows, which are in order, are of one time."""
    return all(before[0] < after[0] for before, after in pairwise(rows))


def _parted(rows: Sequence[Row], known: dict[int, Row]) -> tuple[list[Row], list[tuple[Row, Row]]]:
    """The rows whose candle is not known, the first of each; and the others with the one known."""
    new, old = [], []
    for row in rows:
        kept = known.setdefault(row[0], row)
        if kept is row:
            new.append(row)
        else:
            old.append((row, kept))
    return new, old


class _Archived:
    """The archived candles of one partition, a few months of them in memory."""

    def __init__(self, archive: Archive, partition: Partition) -> None:
        self._archive = archive
        self._partition = partition
        self._kept: dict[Month, tuple[object, dict[int, Row]]] = {}

    def at(self, rows: Sequence[Row]) -> dict[int, Row]:
        """Those at the times of these rows, which are in order."""
        first, last = rows[0][0], rows[-1][0]
        found: dict[int, Row] = {}
        for month in self._archive.months(self._partition):
            if month.start <= last and first <= month.last:
                archived = self._of(month)
                found.update((row[0], archived[row[0]]) for row in rows if row[0] in archived)
        return found

    def _of(self, month: Month) -> dict[int, Row]:
        version = self._archive.version(self._partition, month)
        if version is None:
            return {}
        kept = self._kept.pop(month, None)
        if kept is None or kept[0] != version:
            kept = version, {row[0]: row for row in self._archive.read(self._partition, month)}
        self._kept[month] = kept
        if len(self._kept) > _MONTHS_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept[1]
