"""Moves one month of a partition from the database to the archive.

The order is what makes it safe to be killed anywhere: the file is written under another name, flushed,
renamed, read back and compared; only then are the rows deleted, a few at a time, and each few only if they
still are what the file holds. Whatever was left undone is done by the next run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backfiller.archive import month_file
from backfiller.files.pace import Pace
from common.archive import note_archived
from common.market_data import MarketData, candles_between, delete_candles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backfiller.archive.protection import Protection
    from common.archive import Archive
    from common.database import Database
    from common.market_data import Row
    from common.month import Month
    from common.partition import Partition


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a month: candles that left the database, and whether it has none of it left."""

    partition: Partition
    month: Month
    deleted: int
    is_complete: bool

    def __str__(self) -> str:
        left = "" if self.is_complete else ", the rest next time: it was changed or is needed now"
        return f"{self.partition} {self.month}: {self.deleted} candles archived{left}"


class Mover:
    """Moves months of one database into its archive."""

    def __init__(self, database: Database, archive: Archive, protection: Protection) -> None:
        self._archive = archive
        self._protection = protection
        self._market_data = MarketData(database)
        self._pace = Pace(database, size=1_000, least=100, most=5_000)

    def move(self, partition: Partition, month: Month) -> Moved | None:
        """Archives a month, merged with what was archived of it before; None if there is nothing to move.

        Raises:
            BadArchive: the file is damaged, or did not read back as written; nothing was deleted.
            ConfigurationError: the file cannot be written.
        """
        stored = self._market_data.candles_between(partition, month.start, month.last)
        if not stored:
            return None
        path = self._archive.path(partition, month)
        before = self._archive.read(partition, month)
        rows = month_file.merged(before, stored)
        if rows != before:
            month_file.write(path, rows)
        month_file.require_equal(path, rows)
        return self._delete_all(partition, month, stored, rows)

    def _delete_all(
        self, partition: Partition, month: Month, stored: Sequence[Row], archived: Sequence[Row]
    ) -> Moved:
        """Deletes the month's candles; a chunk's span goes on to the next one, so no late row slips between."""
        first, start = month.start, 0
        while start < len(stored):
            end = start + self._pace.size
            last = stored[end][0] - 1 if end < len(stored) else month.last
            if not self._delete(partition, month, (first, last), stored[start:end], archived):
                return Moved(partition, month, start, is_complete=False)
            first, start = last + 1, end
        return Moved(partition, month, len(stored), is_complete=True)

    def _delete(
        self,
        partition: Partition,
        month: Month,
        span: tuple[int, int],
        expected: Sequence[Row],
        archived: Sequence[Row],
    ) -> bool:
        """Deletes the candles of a span if they still are the expected ones and nobody needs them."""
        with self._pace.write(len(expected)) as connection:
            if not self._protection.allows(connection, partition, month):
                return False
            if candles_between(connection, partition, *span) != expected:
                return False
            note_archived(connection, partition, month, archived)
            delete_candles(connection, partition, *span)
        return True
