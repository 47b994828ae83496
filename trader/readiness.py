"""Whether there are the candles that a strategy needs, and whether new ones come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.times import utc

if TYPE_CHECKING:
    from common.clock import MarketClock
    from common.timeframe import Timeframe
    from trader.roles import Feed

_LATE_S = 60.0  # of this machine's time: on a fast practice exchange two candles are nothing
_FRESH = 2  # candles: the first evaluation waits for history that reaches the present


class Readiness:
    """The candles of one partition, for a strategy that needs `warmup` of them."""

    def __init__(self, feed: Feed, timeframe: Timeframe, warmup: int) -> None:
        self._feed = feed
        self._timeframe = timeframe
        self._warmup = warmup
        self._warm = False

    def why_wait(
        self, clock: MarketClock, newest: int | None, last_signal: int | None
    ) -> str | None:
        """Why nothing can be evaluated yet; None if it can, and ever after.

        Args:
            clock: the exchange's.
            newest: the open time of the newest candle.
            last_signal: that of the last one with a signal.
        """
        if self._warm and newest is not None:
            return None
        found = self._feed.count(limit=self._warmup)
        if newest is None or found < self._warmup:
            return f"{found} of {self._warmup} candles"
        length = self._timeframe.milliseconds
        behind = (self._timeframe.newest_closed(clock.now()) - newest) // length
        if last_signal is None and behind > _FRESH:
            return f"for {behind} more candles, up to the present"
        self._warm = True
        return None

    def lateness(self, clock: MarketClock, newest: int | None) -> str:
        """That the candles stay away, for the heartbeat; the words stay the same while they do."""
        due = self._timeframe.newest_closed(clock.now())
        opened = self._timeframe.close_of(newest or 0)
        is_near = due - (newest or 0) <= _FRESH * self._timeframe.milliseconds
        if is_near or clock.age_s(opened) < _LATE_S:
            return ""
        return f"no candle since that of {utc(newest or 0)} UTC: is the backfiller running?"
