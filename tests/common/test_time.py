"""Timeframes, an exchange's clock, and times as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import clock as clock_module
from common.clock import ClockWatch, KeptClock, MarketClock
from common.errors import ConfigurationError
from common.timeframe import Timeframe
from common.times import iso, parse_time, utc

TIMES = st.integers(0, 4_102_444_800_000)
TIMEFRAMES = st.sampled_from(list(Timeframe))


@given(TIMEFRAMES, TIMES)
def test_the_newest_closed_candle_is_closed_and_the_next_one_is_not(timeframe, now):
    newest = timeframe.newest_closed(now)
    assert timeframe.close_of(newest) <= now < timeframe.close_of(newest + timeframe.milliseconds)


@given(TIMEFRAMES, TIMES)
def test_floor_and_ceil_are_the_grid_points_around_a_time(timeframe, time):
    assert timeframe.floor(time) <= time <= timeframe.ceil(time)
    assert timeframe.ceil(time) - timeframe.floor(time) in (0, timeframe.milliseconds)
    assert timeframe.floor(time) % timeframe.milliseconds == 0


def test_an_unknown_timeframe_is_refused_with_the_known_ones():
    with pytest.raises(
        ConfigurationError, match="TIMEFRAME: expected one of 1m, 5m, .* found '7m'"
    ):
        Timeframe.parse("7m", key="TIMEFRAME")


@given(
    exchange_time=TIMES,
    wall_time=TIMES,
    later=st.integers(0, 10**9),
    speed=st.sampled_from([1.0, 7.5, 3600.0]),
)
def test_waiting_until_a_moment_of_the_exchange_reaches_it_and_not_much_more(
    exchange_time, wall_time, later, speed
):
    clock = MarketClock(exchange_time, wall_time, speed)
    moment = exchange_time + later
    wall = clock.wall_at(moment)
    assert moment <= clock.at(wall) + 1
    assert clock.at(wall - 2) < moment


def test_age_is_in_seconds_of_the_one_who_waits(monkeypatch):
    monkeypatch.setattr(clock_module, "wall_now", lambda: 10_000)
    clock = MarketClock(exchange_time=1_000_000, wall_time=10_000, speed=100.0)
    assert clock.age_s(900_000) == pytest.approx(1.0)


def test_a_clock_that_stands_still_cannot_be_built():
    with pytest.raises(ConfigurationError, match="CLOCK_SPEED: expected a number above 0, found 0"):
        MarketClock(0, 0, 0)


@pytest.mark.parametrize("moved", [3_600_000, -3_600_000])
def test_an_exchanges_clock_that_is_kept_stays_right_when_this_machines_is_set(monkeypatch, moved):
    machine = {"wall": 500_000, "steady": 7_000}
    monkeypatch.setattr(clock_module, "wall_now", lambda: machine["wall"])
    monkeypatch.setattr(clock_module, "steady_now", lambda: machine["steady"])
    kept, watch = KeptClock(), ClockWatch()
    told = MarketClock(exchange_time=1_000_000, wall_time=500_000)
    before = kept.hear(told)
    machine |= {"wall": 500_000 + moved + 250, "steady": 7_250}
    assert before.now() == kept.hear(told).now() == 1_000_250
    assert kept.hear(told).at(machine["wall"]) == 1_000_250
    assert kept.hear(told).wall_at(1_000_250) == machine["wall"]
    assert watch.moved == moved
    machine |= {"wall": machine["wall"] + 250, "steady": 7_500}
    heard_again = MarketClock(exchange_time=1_000_500, wall_time=machine["wall"])
    assert kept.hear(heard_again).now() == 1_000_500


@given(TIMES)
def test_a_time_for_programs_is_read_back_as_it_was(time):
    assert parse_time(iso(time)) == time


@given(TIMES)
def test_a_time_for_people_is_read_back_to_the_second(time):
    assert parse_time(utc(time)) == parse_time(utc(time, seconds=True)) == time // 1000 * 1000


def test_a_time_for_people_has_the_seconds_that_there_are_or_that_are_asked_for():
    assert [utc(60_000), utc(61_999)] == ["1970-01-01 00:01", "1970-01-01 00:01:01"]
    assert utc(60_000, seconds=True) == "1970-01-01 00:01:00"
