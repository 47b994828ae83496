"""What an exchange has, and whether that is what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backfiller.building import source_of
from common.settings import nearest
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from backfiller.needs import Need
    from common.clock import MarketClock

_CLOCK_TOLERANCE_MS = 1500  # an exchange may tell its time in whole seconds
_SPEED_TOLERANCE = 0.25


@dataclass(frozen=True, slots=True)
class Offer:
    """The spot symbols and the timeframes of one exchange."""

    exchange: str
    symbols: frozenset[str]
    timeframes: tuple[Timeframe, ...]

    def source_of(self, timeframe: Timeframe) -> Timeframe | None:
        """Of which timeframe's candles that one's are built; None if they are fetched, or cannot be had."""
        if timeframe in self.timeframes:
            return None
        return source_of(timeframe, self.timeframes)

    @property
    def to_be_had(self) -> list[Timeframe]:
        """The timeframes that are offered or can be built."""
        return [one for one in Timeframe if one in self.timeframes or self.source_of(one)]

    def refusal(self, need: Need) -> str | None:
        """Why a partition cannot be had, naming where it is configured; None if it can."""
        partition = need.partition
        where = f"{need.key}." if need.key is not None else f"{partition}: "
        if partition.symbol not in self.symbols:
            near = nearest(partition.symbol, self.symbols) if self.symbols else ""
            near = near if near.startswith("did") else f"it has {len(self.symbols)} of them"
            return (
                f"{where}symbol: expected a spot market of {self.exchange}, "
                f"found {partition.symbol!r}; {near}"
            )
        if partition.timeframe not in self.to_be_had:
            names = ", ".join(timeframe.value for timeframe in self.timeframes) or "none"
            return (
                f"{where}timeframe: expected one that {self.exchange} offers ({names}), "
                f"found '{partition.timeframe}'"
            )
        return None


def wrong_speed(first: MarketClock, second: MarketClock) -> str | None:
    """Why a CLOCK_SPEED is not the practice exchange's, with which its open candles would look closed; None: it is.

    It is not if the second answer is not where the first one, with its speed, leads. An answer that was long under way
    looks the same.
    """
    passed = second.wall_time - first.wall_time
    expected = first.at(second.wall_time)
    tolerance = _CLOCK_TOLERANCE_MS + _SPEED_TOLERANCE * passed * first.speed
    if abs(second.exchange_time - expected) <= tolerance:
        return None
    measured = (second.exchange_time - first.exchange_time) / max(passed, 1)
    return (
        f"CLOCK_SPEED: expected about {measured:.3g}, as fast as the exchange's clock runs, "
        f"found {first.speed:g}"
    )
