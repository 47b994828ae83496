"""Whether a worker is stuck, or its exchange late: as time passes."""

from __future__ import annotations

from dataclasses import dataclass

from backfiller.needs import Need
from backfiller.punctuality import LATE_S, STUCK_S, Punctuality
from common.clock import MarketClock, wall_now
from common.partition import Partition
from common.timeframe import Timeframe

MINUTE = 60_000
TEN_HOURS = 36_000_000
ONE = Partition("binance", "BTC/USDT", Timeframe.M1)


@dataclass
class Watch:
    """A worker's surroundings: this machine's seconds and the exchange's time pass together."""

    passed: float = 1000.0

    def __post_init__(self) -> None:
        self.began = wall_now()
        self.punctuality = Punctuality("binance", lambda: self.passed)
        self.punctuality.serve({ONE: Need(ONE, TEN_HOURS)})

    def clock(self) -> MarketClock:
        # What the exchange said just now: its time has gone on by as much as the watch.
        return MarketClock(self.began + int((self.passed - 1000) * 1000), wall_now())

    def newest(self) -> int:
        return ONE.timeframe.newest_closed(self.clock().now())

    def look(self, *, waits: bool = False):
        self.punctuality.priced()
        return self.punctuality.look(self.clock(), 10.0, waits=waits)

    def pass_by(self, seconds: float, *, waits: bool = False):
        """Lets time pass with a look each second; what the last one found."""
        found = None
        for _ in range(int(seconds)):
            self.passed += 1.0
            found = self.look(waits=waits)
        return found


def test_who_takes_each_candle_is_never_late():
    watch = Watch()
    for _ in range(10):
        watch.punctuality.took(ONE, watch.newest())
        assert watch.pass_by(60) is None


def test_an_exchange_that_fails_makes_late_and_never_stuck():
    watch = Watch()
    watch.punctuality.took(ONE, watch.newest())
    found = None
    for _ in range(20):
        watch.punctuality.failed(ONE, "RequestTimeout")
        found = watch.pass_by(60)
    assert found is not None
    assert not found.is_stuck
    assert found.why == "1 of 1 partitions of binance late, binance BTC/USDT 1m: RequestTimeout"


def test_who_does_not_ask_any_more_is_stuck():
    watch = Watch()
    watch.punctuality.took(ONE, watch.newest())
    assert watch.pass_by(60) is None
    found = watch.pass_by(2 * LATE_S + STUCK_S)
    assert found is not None
    assert found.is_stuck
    assert "binance BTC/USDT 1m: not asked for " in found.why


def test_a_ban_of_hours_is_no_silence_and_there_is_time_to_ask_after_it():
    watch = Watch()
    watch.punctuality.took(ONE, watch.newest())
    found = watch.pass_by(7200, waits=True)
    assert found is not None
    assert not found.is_stuck
    found = watch.pass_by(STUCK_S - 10)
    assert found is not None
    assert not found.is_stuck
    found = watch.pass_by(60)
    assert found is not None
    assert found.is_stuck


def test_an_exchange_that_was_never_heard_and_a_worker_that_does_not_try_is_stuck():
    watch = Watch()
    assert watch.punctuality.look(None, 10.0, waits=False) is None
    for _ in range(int(STUCK_S) + 1):
        watch.passed += 1.0
        found = watch.punctuality.look(None, 10.0, waits=False)
    assert found is not None
    assert found.is_stuck
    assert watch.punctuality.look(None, 10.0, waits=True) is None


def test_a_clock_that_jumps_ahead_makes_nobody_stuck_at_once():
    watch = Watch()
    watch.punctuality.took(ONE, watch.newest())
    watch.began += TEN_HOURS
    assert watch.look() is None
    found = watch.pass_by(LATE_S + 5)
    assert found is not None
    assert not found.is_stuck


def test_a_process_that_was_paused_for_an_hour_has_time_to_catch_up():
    watch = Watch()
    watch.punctuality.took(ONE, watch.newest())
    watch.look()
    watch.passed += 3600.0
    assert watch.punctuality.look(watch.clock(), 10.0, waits=False) is None
    found = watch.pass_by(STUCK_S - 10)
    assert found is not None
    assert not found.is_stuck


def test_a_long_timeframe_is_not_late_all_day():
    day = Partition("binance", "BTC/USDT", Timeframe.D1)
    watch = Watch()
    watch.began = wall_now() // 86_400_000 * 86_400_000 + 1  # midnight
    watch.punctuality.serve({day: Need(day, 30 * 86_400_000)})
    watch.punctuality.took(day, day.timeframe.newest_closed(watch.clock().now()))
    assert watch.pass_by(20_000) is None
