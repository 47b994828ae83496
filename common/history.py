"""Candles of any age: the database and the archive read as one.

Who needs only the newest candles reads them from `MarketData`.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from common.archive import Archive
from common.market_data import MarketData
from common.month import Month

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.database import Database
    from common.market_data import Row
    from common.partition import Partition


class History:
    """All candles of a database and its archive. Where both have one, the database's counts."""

    def __init__(self, database: Database) -> None:
        self._market_data = MarketData(database)
        self._archive = Archive(database)

    def candles(
        self, partition: Partition, since: int | None = None, until: int | None = None
    ) -> Iterator[Row]:
        """The candles that opened from `since` to `until`, both included, oldest first.

        Each is (timestamp, open, high, low, close, volume). At most a month is in memory, and no
        transaction is open while the caller works.

        Raises:
            BadArchive: an archive file is damaged.
            ConfigurationError: there is an archive to read, and polars is not installed.
        """
        return chain.from_iterable(self.months(partition, since, until))

    def months(
        self, partition: Partition, since: int | None = None, until: int | None = None
    ) -> Iterator[list[Row]]:
        """The same candles in one list for each month that has any."""
        first, last = self._ends(partition)
        if first is None or last is None:
            return
        start = first if since is None else max(first, since)
        end = last if until is None else min(last, until)
        month = Month.of(start)
        while month.start <= end:
            rows = self._month(partition, month, max(start, month.start), min(end, month.last))
            if rows:
                yield rows
            month = month.next()

    def has_archive(self, partition: Partition) -> bool:
        """Whether the archive has any: if not, `MarketData` has all there is."""
        return bool(self._archive.months(partition))

    def _month(self, partition: Partition, month: Month, start: int, end: int) -> list[Row]:
        """The database first: what the archiver deletes from it meanwhile is in the archive by then."""
        stored = self._market_data.candles_between(partition, start, end)
        archived = self._archive.read(partition, month)
        if not archived:
            return stored
        merged = {row[0]: row for row in archived if start <= row[0] <= end}
        merged.update((row[0], row) for row in stored)
        return [merged[timestamp] for timestamp in sorted(merged)]

    def _ends(self, partition: Partition) -> tuple[int | None, int | None]:
        """Between which times there can be candles."""
        oldest = self._market_data.oldest_candle(partition)
        newest = self._market_data.newest_candle(partition)
        months = self._archive.months(partition)
        if not months:
            return oldest, newest
        starts = [months[0].start] if oldest is None else [months[0].start, oldest]
        ends = [months[-1].last] if newest is None else [months[-1].last, newest]
        return min(starts), max(ends)
