from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backfiller.trigger import CandleCloseTrigger, milliseconds, moment, next_close
from common.clock import MarketClock
from common.timeframe import Timeframe

walls = st.integers(1_700_000_000_000, 1_800_000_000_000)
clocks = st.builds(MarketClock, walls, walls, st.sampled_from([1.0, 7.5, 60.0, 3600.0]))


@given(clock=clocks, passed=st.integers(0, 10_000_000), timeframe=st.sampled_from(Timeframe))
def test_the_next_close_is_the_first_moment_at_which_the_open_candle_is_closed(
    clock, passed, timeframe
):
    now = clock.wall_time + passed

    fires = next_close(timeframe, clock, now)

    assert fires > now
    close = timeframe.close_of(timeframe.floor(clock.at(now)))
    assert clock.at(fires) >= close > clock.at(fires - 1)


def test_it_follows_a_clock_that_was_set_anew():
    clock = MarketClock(3_600_000, 1_000_000)
    trigger = CandleCloseTrigger(Timeframe.H1, lambda: clock)
    before = trigger.get_next_fire_time(None, moment(1_000_000))

    clock = MarketClock(3_600_000 + 600_000, 1_000_000)

    assert milliseconds(before) == 1_000_000 + 3_600_000
    after = trigger.get_next_fire_time(None, moment(1_000_000))
    assert milliseconds(after) == 1_000_000 + 3_000_000


def test_closes_that_were_missed_are_one_firing():
    trigger = CandleCloseTrigger(Timeframe.M1, lambda: MarketClock(0, 0, 60.0))

    fires = trigger.get_next_fire_time(moment(1_000), moment(1_000_500))

    assert milliseconds(fires) == 1_001_000


@given(wall=walls)
def test_a_moment_of_the_scheduler_is_the_same_count_of_milliseconds(wall):
    assert milliseconds(moment(wall)) == wall
