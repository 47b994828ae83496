"""A long accelerated run: real processes, random weather, kills; and what is in the database at its end."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import sqlalchemy as sa

import schema
from scripts.local_suite import LocalSuite
from tests.accelerated.truth import Sides, Verdict, holes_of, judge, stored_candles, unsettled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from common.database import Database
    from tests.accelerated.plan import Plan

_LOOK_EVERY_S = 0.1
_MEASURE_EVERY_S = 2.0
_TELL_EVERY_S = 30.0
_CANDLES = ("klines", "candles", "OHLC")  # the endpoints of candles
_MB = 1_000_000


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    verdict: Verdict = field(default_factory=Verdict)
    suffered: dict[str, int] = field(default_factory=dict)  # requests, by the kind of their fault
    calls: dict[str, int] = field(default_factory=dict)  # by exchange and endpoint
    events: dict[str, int] = field(default_factory=dict)  # rows of the event log, by kind
    memory: list[tuple[int, int, float]] = field(default_factory=list)  # market time, process, MB
    settled_s: float = 0.0  # how long it took after the weather

    @property
    def candle_calls(self) -> int:
        """Requests for candles."""
        return sum(count for name, count in self.calls.items() if name.split()[1] in _CANDLES)

    @property
    def last_process(self) -> list[float]:
        """The resident memory of the backfiller that ran to the end, in MB, from its start on."""
        return [size for _, process, size in self.memory if process == self.memory[-1][1]]


class Run:
    """One run of a plan in a folder of its own."""

    def __init__(self, plan: Plan, folder: Path, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._tell = tell
        self._outcome = Outcome()
        self._measured = self._told = 0.0

    def run(self, *, settle_within_s: float) -> Outcome:
        """Runs it, and compares at its end.

        Raises:
            DaemonEnded: a process ended by itself.
        """
        plan = self._plan
        with LocalSuite(self._folder, speed=plan.speed, seed=plan.seed, start=_iso(plan)) as suite:
            suite.start_exchange()
            weather: dict[str, Any] = {"rate": plan.rate, "seed": plan.seed}
            weather |= {"kinds": list(plan.kinds)} if plan.kinds else {}
            suite.rehearsal("weather", method="POST", body=weather)
            configuration = self._folder / "backfiller.yml"
            configuration.write_text(plan.configuration(), encoding="utf-8")
            suite.start_backfiller(BACKFILLER_CONFIG=str(configuration), TICKER_INTERVAL_S="5")
            self._live(suite)
            self._outcome.suffered = suite.rehearsal("weather")["suffered"]
            self._outcome.calls = _calls(suite)
            suite.rehearsal("weather", method="DELETE")
            database = schema.open_database(suite.database_url)
            try:
                self._settle(suite, database, settle_within_s)
                suite.stop("backfiller")
                self._compare(suite, database)
                self._outcome.events = _events(database)
            finally:
                database.close()
        return self._outcome

    def _live(self, suite: LocalSuite) -> None:
        """The days of weather, with the kills."""
        kills = self._plan.moments()
        while (now := suite.rehearsal("clock")["now_ms"]) < self._plan.end:
            suite.require_running()
            if kills and now >= kills[0]:
                kills.pop(0)
                self._measure(suite, now, at_once=True)
                suite.kill_and_restart("backfiller")
                self._tell(f"{self._day(now)}: killed the backfiller and started it again")
            self._measure(suite, now)
            time.sleep(_LOOK_EVERY_S)

    def _settle(self, suite: LocalSuite, database: Database, within_s: float) -> None:
        """Waits until nothing is missing of the days that were lived through, or the time is up."""
        began = time.monotonic()
        left = dict.fromkeys(self._plan.partitions, "expected it to be looked at")
        while left and time.monotonic() < began + within_s:
            suite.require_running()
            for partition in list(left):
                span = (self._plan.first, self._plan.last(partition))
                if what := unsettled(database, partition, *span):
                    left[partition] = what
                else:
                    del left[partition]
            self._measure(suite, suite.rehearsal("clock")["now_ms"])
            time.sleep(_LOOK_EVERY_S)
        self._measure(suite, suite.rehearsal("clock")["now_ms"], at_once=True)
        self._outcome.settled_s = time.monotonic() - began
        for what in left.values():
            self._outcome.verdict.blame("not settled", what)

    def _compare(self, suite: LocalSuite, database: Database) -> None:
        for partition in self._plan.partitions:
            step, last = partition.timeframe.milliseconds, self._plan.last(partition)
            slots = range(self._plan.first, last + step, step)
            stored = stored_candles(database, partition)
            truth = suite.truth(partition, min([slots[0], *stored]), max([last, *stored]))
            holes = holes_of(database, partition)
            judge(self._outcome.verdict, Sides(partition, slots, stored, truth, holes))

    def _measure(self, suite: LocalSuite, now: int, *, at_once: bool = False) -> None:
        """Notes the backfiller's memory now and then, and tells how far the run has come."""
        if not at_once and time.monotonic() < self._measured + _MEASURE_EVERY_S:
            return
        self._measured = time.monotonic()
        process = suite.daemons["backfiller"].process
        size = psutil.Process(process.pid).memory_info().rss / _MB
        self._outcome.memory.append((now, process.pid, size))
        if self._measured > self._told + _TELL_EVERY_S:
            self._told = self._measured
            self._tell(f"{self._day(now)}: {size:.0f} MB, calls {_calls(suite)}")

    def _day(self, now: int) -> str:
        return f"day {(now - self._plan.first) / 86_400_000:.1f}"


def _iso(plan: Plan) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(plan.first / 1000))


def _calls(suite: LocalSuite) -> dict[str, int]:
    answer = suite.rehearsal("calls")
    return {
        f"{exchange} {endpoint}": count
        for exchange, endpoints in answer.items()
        for endpoint, count in endpoints.items()
    }


def _events(database: Database) -> dict[str, int]:
    query = sa.select(schema.events.c.kind)
    with database.read() as connection:
        return dict(Counter(connection.execute(query).scalars()).most_common())
