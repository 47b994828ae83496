"""Timeframes: how long a candle is, and on which grid of open times it lies.

Every time in this project is an integer count of milliseconds since 1970-01-01T00:00Z.
"""

from __future__ import annotations

from enum import Enum

from common.errors import ConfigurationError


class Timeframe(Enum):
    """A candle length that the suite stores. The value is its name everywhere."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @classmethod
    def parse(cls, text: str, *, key: str = "timeframe") -> Timeframe:
        """The timeframe of that name.

        Raises:
            ConfigurationError: there is none; the message names `key`.
        """
        try:
            return cls(text)
        except ValueError:
            names = ", ".join(timeframe.value for timeframe in cls)
            raise ConfigurationError(f"{key}: expected one of {names}, found {text!r}") from None

    @property
    def milliseconds(self) -> int:
        """The length of one candle."""
        return _MILLISECONDS[self._value_]  # to hash a member itself takes five times as long

    def floor(self, timestamp: int) -> int:
        """The open time of the candle that `timestamp` falls into."""
        return timestamp - timestamp % self.milliseconds

    def ceil(self, timestamp: int) -> int:
        """The first open time at or after `timestamp`."""
        return -(-timestamp // self.milliseconds) * self.milliseconds

    def close_of(self, open_time: int) -> int:
        """When the candle that opened at `open_time` closes: the open time of the next one."""
        return open_time + self.milliseconds

    def newest_closed(self, now: int) -> int:
        """The open time of the newest candle that is closed at `now`."""
        return self.floor(now) - self.milliseconds

    def __str__(self) -> str:
        return self.value


_MINUTE = 60_000
_MILLISECONDS = {
    "1m": _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "1h": 60 * _MINUTE,
    "4h": 240 * _MINUTE,
    "1d": 1440 * _MINUTE,
}
