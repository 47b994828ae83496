"""When a candle closes, for the scheduler."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.clock import MarketClock
    from common.timeframe import Timeframe

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CandleCloseTrigger(BaseTrigger):  # type: ignore[misc]  # apscheduler is not typed
    """Fires at each close of a timeframe's candles, by the exchange's clock as it is then known.

    The next close is reckoned from now and not from the last firing: on a fast practice exchange closes
    that were missed are one firing, not a queue of them.
    """

    def __init__(self, timeframe: Timeframe, clock: Callable[[], MarketClock]) -> None:
        self._timeframe = timeframe
        self._clock = clock

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The first close after `now`, as this machine's time."""
        return moment(next_close(self._timeframe, self._clock(), milliseconds(now)))


def next_close(timeframe: Timeframe, clock: MarketClock, wall_time: int) -> int:
    """When the candle closes that is open at `wall_time`, both by this machine's clock."""
    return clock.wall_at(timeframe.close_of(timeframe.floor(clock.at(wall_time))))


def milliseconds(moment: datetime) -> int:
    """That moment in milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment(wall_time: int) -> datetime:
    """That count of milliseconds as the scheduler's kind of time."""
    return _EPOCH + timedelta(milliseconds=wall_time)
