"""Moves one month of a partition from the database to the archive.

The order is what makes it safe to be killed anywhere: the file is written under another name, flushed,
renamed, read back and compared; only then are the rows deleted, a few at a time, and each few only if they
still are what the file holds. Whatever was left undone is done by the next run.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backfiller.archive import month_file
from common.archive import note_archived
from common.market_data import MarketData, candles_between, delete_candles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backfiller.archive.protection import Protection
    from common.archive import Archive
    from common.database import Database
    from common.market_data import Row
    from common.month import Month
    from common.partition import Partition

CHUNK = 2_000  # rows deleted in one transaction: some 10 ms of the write lock
_PAUSE_S = (0.004, 0.016)


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
        self._database = database
        self._archive = archive
        self._protection = protection
        self._market_data = MarketData(database)

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
        deleted = 0
        for first, last, chunk in _chunks(stored, month):
            if not self._delete(partition, month, (first, last), chunk, rows):
                return Moved(partition, month, deleted, is_complete=False)
            deleted += len(chunk)
            time.sleep(random.uniform(*_PAUSE_S))  # noqa: S311 - it spreads writers, it hides nothing
        return Moved(partition, month, deleted, is_complete=True)

    def _delete(
        self,
        partition: Partition,
        month: Month,
        span: tuple[int, int],
        expected: Sequence[Row],
        archived: Sequence[Row],
    ) -> bool:
        """Deletes the candles of a span if they still are the expected ones and nobody needs them."""
        with self._database.write() as connection:
            if not self._protection.allows(connection, partition, month):
                return False
            if candles_between(connection, partition, *span) != expected:
                return False
            note_archived(connection, partition, month, archived)
            delete_candles(connection, partition, *span)
        return True


def _chunks(rows: Sequence[Row], month: Month) -> Iterator[tuple[int, int, Sequence[Row]]]:
    """The rows in chunks, each with the span of time up to the next, so that no late row slips between."""
    first = month.start
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        is_last = start + CHUNK >= len(rows)
        last = month.last if is_last else rows[start + CHUNK][0] - 1
        yield first, last, chunk
        first = last + 1
