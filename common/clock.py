"""Time: this machine's, and an exchange's as a function of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from common.errors import ConfigurationError


def wall_now() -> int:
    """This machine's time, in milliseconds UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class MarketClock:
    """An exchange's time, from one answer of its own clock.

    `exchange_time` is what the exchange said, `wall_time` is this machine's time when the answer
    had *arrived*. So the clock is never ahead of the exchange's, only behind by the way of the
    answer: a candle that is closed by this clock is closed at the exchange.

    `speed` is 1 for every real exchange. On a practice exchange it says how many milliseconds
    of the market pass in one of this machine.
    """

    exchange_time: int
    wall_time: int
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ConfigurationError(f"CLOCK_SPEED: expected a number above 0, found {self.speed}")

    def at(self, wall_time: int) -> int:
        """The exchange's time when this machine's is `wall_time`."""
        return self.exchange_time + int((wall_time - self.wall_time) * self.speed)

    def now(self) -> int:
        """The exchange's time now."""
        return self.at(wall_now())

    def wall_at(self, exchange_time: int) -> int:
        """This machine's time when the exchange's is `exchange_time`, rounded up."""
        return self.wall_time - int((self.exchange_time - exchange_time) // self.speed)

    def age_s(self, timestamp: int) -> float:
        """How long ago that was for somebody who waits here, in seconds of this machine."""
        return (self.now() - timestamp) / self.speed / 1000

    @property
    def offset(self) -> int:
        """How far the exchange is ahead of this machine, in milliseconds, when it answered."""
        return self.exchange_time - self.wall_time
