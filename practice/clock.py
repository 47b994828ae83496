"""What the practice exchange asks of its own clock beyond the time.

The clock is an anchor and a speed, no running count. So an exchange that was stopped and started
again with the same anchor shows the time it would have shown, had it never stopped.
"""

from __future__ import annotations

from common.clock import MarketClock


def at_speed(clock: MarketClock, speed: float, wall_ms: int) -> MarketClock:
    """The clock that shows the same time at `wall_ms` and runs at another speed from there."""
    if speed == clock.speed:
        return clock
    return MarketClock(clock.at(wall_ms), wall_ms, speed)


def shown_by_clients(clock: MarketClock, wall_ms: int) -> tuple[int, int]:
    """The earliest and the latest time that an honest client's clock may show.

    A client asks for the market time once and counts on from there at the speed of real time, so
    on a fast market its clock falls behind, at worst by all that has passed since the anchor. At
    speed 1 both are the same.
    """
    now = clock.at(wall_ms)
    counted = clock.exchange_time + (wall_ms - clock.wall_time)
    return min(now, counted), max(now, counted)


def is_shown_by_a_client(
    clock: MarketClock, client_ms: int, wall_ms: int, *, behind_ms: int, ahead_ms: int
) -> bool:
    """Whether an honest client's clock may show `client_ms` when the wall clock shows `wall_ms`.

    At speed 1 only the tolerance of `behind_ms` and `ahead_ms` is left, as at a real exchange.
    """
    earliest, latest = shown_by_clients(clock, wall_ms)
    return earliest - behind_ms <= client_ms <= latest + ahead_ms
