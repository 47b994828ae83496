"""One practice exchange as its public sees it: its markets, candles and tickers at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from practice.path import candles, price_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from practice.candles import Candles
    from practice.markets import Market
    from practice.noise import Integers
    from practice.path import Path

_DAY_MS = 86_400_000
_HALF_SPREAD = 20_000  # bid and ask are one 20,000th of the price, half a basis point, away from it


@dataclass(frozen=True, slots=True)
class Ticker:
    """A market at one moment, in ticks and lots."""

    timestamp_ms: int
    last: int
    bid: int
    ask: int
    day: Candles  # one candle: the last 24 hours


@dataclass(frozen=True, slots=True)
class Listing:
    """A market and the path of its price."""

    market: Market
    path: Path

    def has_candles_of(self, length_ms: int) -> bool:
        """Whether candles of that length can be made of this path."""
        return length_ms % self.path.unit_ms == 0

    def first_ms(self, length_ms: int) -> int:
        """The open time of the first candle of that length; the path may begin in its midst."""
        return self.path.first_ms // length_ms * length_ms

    def candles(
        self, length_ms: int, first_ms: int, last_ms: int, now_ms: int
    ) -> tuple[int, Candles]:
        """See `practice.path.candles`."""
        return candles(self.path, length_ms, first_ms, last_ms, now_ms)

    def ticker(self, now_ms: int) -> Ticker:
        """The prices at that moment."""
        last = price_at(self.path, now_ms)
        unit_ms = self.path.unit_ms
        _, day = candles(self.path, unit_ms, now_ms - _DAY_MS + 1, now_ms, now_ms)
        half = int(half_spread(np.array([last]))[0])
        return Ticker(now_ms, last, max(last - half, 1), last + half, day.grouped(max(len(day), 1)))

    def last_price(self, now_ms: int) -> Decimal:
        """The last price at that moment, as money."""
        return self.price(price_at(self.path, now_ms))

    def price(self, ticks: int) -> Decimal:
        """That many ticks as money."""
        return Decimal(ticks).scaleb(-self.path.price_decimals)

    def price_text(self, ticks: int) -> str:
        """That price as a decimal number, with all its decimals."""
        return decimal_text(ticks, self.path.price_decimals)

    def volume_text(self, lots: int) -> str:
        """That volume as a decimal number, with all its decimals."""
        return decimal_text(lots, self.path.volume_decimals)


class Venue:
    """All markets of one exchange, by symbol."""

    def __init__(self, exchange: str, listings: Iterable[Listing]) -> None:
        self.exchange = exchange
        self.listings = {listing.market.symbol: listing for listing in listings}

    def currencies(self) -> set[str]:
        """All currencies that are traded here or paid with."""
        return {part for symbol in self.listings for part in symbol.split("/")}

    def by_id(self, separator: str) -> dict[str, Listing]:
        """The markets by the name that the exchange's API gives them, such as BTCUSDT."""
        return {
            symbol.replace("/", separator): listing for symbol, listing in self.listings.items()
        }


def half_spread(prices: Integers) -> Integers:
    """How far bid and ask are away from each of those last prices, in ticks."""
    return np.maximum(prices // _HALF_SPREAD, 1)


def decimal_text(units: int, decimals: int) -> str:
    """That many units of 10**-decimals as a decimal number, exactly."""
    if not decimals:
        return str(units)
    whole, fraction = divmod(units, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d}"
