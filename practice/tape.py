"""Candles as an exchange prints them: a question for some of them, and the rows that answer it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from practice.venue import Listing

_LONG_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Window:
    """Which candles are asked for: those that open from `first_ms` to `last_ms`, both included."""

    listing: Listing
    length_ms: int
    first_ms: int
    last_ms: int
    now_ms: int
    keeps_silence: bool = True  # whether a candle in which nothing traded is a row

    @property
    def timeframe(self) -> str:
        """The length of a candle by its usual name, such as 15m."""
        minutes = self.length_ms // 60_000
        for unit, size in (("d", 1440), ("h", 60)):
            if minutes % size == 0:
                return f"{minutes // size}{unit}"
        return f"{minutes}m"

    @property
    def tick(self) -> Decimal:
        """The smallest step of a price."""
        return Decimal(1).scaleb(-self.listing.path.price_decimals)

    @property
    def step(self) -> Decimal:
        """The smallest step of a volume."""
        return Decimal(1).scaleb(-self.listing.path.volume_decimals)


class Row(NamedTuple):
    """One candle as text, with all its decimals."""

    opens_ms: int
    open: str | None  # None is what only a spoiled row has
    high: str | None
    low: str | None
    close: str | None
    volume: str | None


async def printed(window: Window) -> list[Row]:
    """The same as `rows_of`; a long window is read aside, so that nobody else has to wait for it."""
    if window.last_ms - window.first_ms > _LONG_MS:
        return await asyncio.to_thread(rows_of, window)
    return rows_of(window)


def rows_of(window: Window) -> list[Row]:
    """The candles of that window as they stand, oldest first, the open one included."""
    listing, length_ms = window.listing, window.length_ms
    opens_ms, found = listing.candles(length_ms, window.first_ms, window.last_ms, window.now_ms)
    prices = (
        [listing.price_text(ticks) for ticks in column.tolist()]
        for column in (found.open, found.high, found.low, found.close)
    )
    lots = found.volume.tolist()
    times = range(opens_ms, opens_ms + len(lots) * length_ms, length_ms)
    volumes = [listing.volume_text(number) for number in lots]
    rows = [Row(*columns) for columns in zip(times, *prices, volumes, strict=True)]
    if window.keeps_silence:
        return rows
    return [row for row, number in zip(rows, lots, strict=True) if number]
