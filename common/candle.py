"""A candle and a ticker: what an exchange says of a market, checked before anyone believes it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from common.errors import RejectedError
from common.shown import shown

# What any market has had, with room to spare: beyond it a number is an error, and no arithmetic of money holds.
LEAST_PRICE, MOST_PRICE, MOST_VOLUME = 1e-18, 1e15, 1e24
FIRST_MARKET = (
    1_230_940_800_000  # 2009-01-03, Bitcoin's first day: no market has a candle from before
)


class BadMarketData(RejectedError):
    """A candle or ticker that no market can have had; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Candle:
    """One closed candle. Prices are quote per base, the volume is in base currency."""

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    def __post_init__(self) -> None:
        opened, high, low, close, volume = self.open, self.high, self.low, self.close, self.volume
        # What nearly every candle is, in a fifth of the time: a history is checked a million times.
        if (
            type(opened) is type(high) is type(low) is type(close) is type(volume) is float
            and LEAST_PRICE <= low <= opened <= high <= MOST_PRICE
            and low <= close <= high
            and 0.0 <= volume <= MOST_VOLUME
        ):
            return
        self._require_possible()

    def _require_possible(self) -> None:
        for name in ("open", "high", "low", "close"):
            _check(name, getattr(self, name), positive=True)
        _check("volume", self.volume, positive=False)
        if not self.low <= min(self.open, self.close) <= max(self.open, self.close) <= self.high:
            raise BadMarketData(
                f"candle {self.timestamp}: expected low <= open and close <= high, found "
                f"open {self.open}, high {self.high}, low {self.low}, close {self.close}"
            )


@dataclass(frozen=True, slots=True)
class Ticker:
    """The prices of one moment. `bid` and `ask` are None where the exchange does not tell them."""

    timestamp: int
    bid: float | None
    ask: float | None
    last: float

    def __post_init__(self) -> None:
        _check("last", self.last, positive=True)
        for name, price in (("bid", self.bid), ("ask", self.ask)):
            if price is not None:
                _check(name, price, positive=True)
        if self.bid is not None and self.ask is not None and self.bid > self.ask:
            raise BadMarketData(
                f"ticker: expected bid <= ask, found bid {self.bid} and ask {self.ask}"
            )


def _check(name: str, number: object, *, positive: bool) -> None:
    """Raises BadMarketData unless `number` is a finite number that a price, or else a volume, can be."""
    kind = "above 0" if positive else "of at least 0"
    if (
        not isinstance(number, int | float)
        or isinstance(number, bool)
        or not _is_finite(number)
        or number < 0
        or (positive and number == 0)
    ):
        raise BadMarketData(f"{name}: expected a finite number {kind}, found {shown(number)}")
    least, most = (LEAST_PRICE, MOST_PRICE) if positive else (0.0, MOST_VOLUME)
    if not least <= number <= most:
        raise BadMarketData(
            f"{name}: expected a number from {least:g} to {most:g}, found {number:g}"
        )


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond all floats
        return False
