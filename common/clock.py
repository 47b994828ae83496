"""Time: this machine's, and an exchange's as a function of it.

This machine's clock may be set at any moment: by a person, by NTP, after a virtual machine was moved. So what
lasts longer than a moment is measured on the steady clock, and an exchange's clock is kept by `KeptClock`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from common.errors import ConfigurationError

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while a laptop sleeps
_SET_MS = (
    100  # what the two clocks go apart by when one is set, and not because reading them takes time
)
_READ_WITHIN_MS = 5


def wall_now() -> int:
    """This machine's time, in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def steady_now() -> int:
    """Milliseconds of a clock that nobody can set; only differences mean something."""
    return time.clock_gettime_ns(_STEADY) // 1_000_000


@dataclass(frozen=True, slots=True)
class MarketClock:
    """An exchange's time, from one answer of its own clock.

    `exchange_time` is what the exchange said, `wall_time` is this machine's time when the answer
    had *arrived*. So the clock is never ahead of the exchange's, only behind by the way of the
    answer: a candle that is closed by this clock is closed at the exchange.

    `speed` is 1 for every real exchange. On a practice exchange it says how many milliseconds
    of the market pass in one of this machine.

    `wall_ahead` is how far this machine's clock is ahead of its steady one, where that is known: then `now` goes by
    the steady one.
    """

    exchange_time: int
    wall_time: int
    speed: float = 1.0
    wall_ahead: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ConfigurationError(f"CLOCK_SPEED: expected a number above 0, found {self.speed}")

    def at(self, wall_time: int) -> int:
        """The exchange's time when this machine's is `wall_time`."""
        return self.exchange_time + int((wall_time - self.wall_time) * self.speed)

    def now(self) -> int:
        """The exchange's time now."""
        return self.at(wall_now() if self.wall_ahead is None else steady_now() + self.wall_ahead)

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


class KeptClock:
    """An exchange's clock, right also when this machine's was set after the exchange was heard."""

    def __init__(self) -> None:
        self._heard: MarketClock | None = None
        self._ahead = 0

    def hear(self, told: MarketClock) -> MarketClock:
        """The clock as it was told, in this machine's time of now; its `now` stays right whatever happens.

        Args:
            told: by this machine's time of when it is given here for the first time.
        """
        ahead = _wall_ahead()
        if told != self._heard:
            self._heard, self._ahead = told, ahead
        return replace(told, wall_time=told.wall_time + ahead - self._ahead, wall_ahead=ahead)


class ClockWatch:
    """Notices that this machine's clock is set: it then goes apart from the steady one."""

    def __init__(self) -> None:
        self._ahead = _wall_ahead()

    @property
    def moved(self) -> int:
        """By how many milliseconds it was set since the beginning; 0: it was not."""
        moved = _wall_ahead() - self._ahead
        return moved if abs(moved) >= _SET_MS else 0


def _wall_ahead() -> int:
    """How far the wall clock is ahead of the steady one; both are read at one moment."""
    while True:
        before = wall_now()
        steady = steady_now()
        if 0 <= wall_now() - before <= _READ_WITHIN_MS:  # else this process was held up between
            return before - steady
