"""A fleet of which one after the other is killed with -9 under load, and started again; and what is left of its books."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import schema
from common.watch import Watch
from tests.accelerated.truth import Verdict, stored_candles, unsettled
from tests.load.hosts import Processes, local
from tests.load.plan import Fleet, LoadPlan
from tests.load.truth import behind, judge_fleet
from tests.load.witness import Witness, judge_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from common.database import Database

_LOOK_EVERY_S, _TELL_EVERY_S = 0.02, 30.0
_START_WITHIN_S = 180.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: `after_s` after the last one; and if it strikes amid work, so long after a commit of anybody."""

    victim: str
    after_s: float
    after_commit_s: float | None


@dataclass(frozen=True, slots=True)
class KillPlan:
    """So many kills, from a seed, of a fleet on a market that fast."""

    fleet: Fleet
    kills: int
    seed: int
    speed: float

    def moments(self) -> Iterator[Kill]:
        """The kills: of all daemons by turns, each turn shuffled, so that each has its share."""
        dice = random.Random(f"{self.seed}/kills")
        everybody = [
            *(one.strategy_id for one in self.fleet.trading),
            "backfiller",
            "practice",
        ]
        victims: list[str] = []
        while len(victims) < self.kills:
            victims += dice.sample(everybody, len(everybody))
        for victim in victims[: self.kills]:
            # A candle's commit wakes its traders within 50 ms, and they commit some ms later.
            amid = dice.uniform(0, 0.1) if dice.random() < 0.7 else None
            yield Kill(victim, dice.uniform(0.1, 2.0), amid)


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    verdict: Verdict = field(
        default_factory=lambda: Verdict(needs="acknowledged signals still there")
    )
    kills: Counter[str] = field(default_factory=Counter)
    killed_s: float = 0.0  # from the first kill to the last
    settled_s: float = 0.0  # and until all had caught up


class KillRun:
    """One run in a folder of its own."""

    def __init__(self, plan: KillPlan, folder: Path, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._tell = tell
        self._outcome = Outcome()

    def run(self, *, settle_within_s: float) -> Outcome:
        """Runs it, and judges at its end.

        Raises:
            DaemonEnded: a process ended by itself.
        """
        plan = LoadPlan(self._plan.fleet, 0, self._plan.speed, self._plan.seed)
        with local(plan, self._folder) as suite:
            host = Processes(plan, suite)
            host.start()
            database = schema.open_database(suite.database_url)
            witness = Witness(database, self._plan.fleet)
            try:
                self._await(host, witness, lambda: self._behind(database, None), _START_WITHIN_S)
                self._kill(host, witness, database)
                self._settle(host, witness, database, settle_within_s)
                for wrong in host.stop():
                    self._outcome.verdict.blame("stopped badly", wrong)
                self._judge(host, witness, database)
            finally:
                database.close()
        return self._outcome

    def _kill(self, host: Processes, witness: Witness, database: Database) -> None:
        began = told = time.monotonic()
        for number, kill in enumerate(self._plan.moments()):
            self._watch_for(kill.after_s, host, witness)
            if kill.after_commit_s is not None:
                with closing(Watch(database)) as watch:
                    _await_commit(watch)
                time.sleep(kill.after_commit_s)
            host.suite.kill_and_restart(kill.victim)
            self._outcome.kills["traders" if "load-" in kill.victim else kill.victim] += 1
            if time.monotonic() > told + _TELL_EVERY_S:
                told = time.monotonic()
                self._tell(f"{number + 1} of {self._plan.kills} kills")
        self._outcome.killed_s = time.monotonic() - began

    def _watch_for(self, seconds: float, host: Processes, witness: Witness) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            witness.look()
            host.require_running()
            time.sleep(_LOOK_EVERY_S)

    def _settle(
        self, host: Processes, witness: Witness, database: Database, within_s: float
    ) -> None:
        """Waits until all have caught up with what they missed."""
        began, end = time.monotonic(), host.now()
        left = self._await(host, witness, lambda: self._behind(database, end), within_s)
        for what in left:
            self._outcome.verdict.blame("not settled", what)
        self._outcome.settled_s = time.monotonic() - began

    def _await(
        self,
        host: Processes,
        witness: Witness,
        left_of: Callable[[], list[str]],
        within_s: float,
    ) -> list[str]:
        deadline = time.monotonic() + within_s
        while (left := left_of()) and time.monotonic() < deadline:
            self._watch_for(0.2, host, witness)
        return left

    def _behind(self, database: Database, end: int | None) -> list[str]:
        """Which traders have no signal of the last candle up to `end`, and which partitions are not whole up to it."""
        left = behind(database, self._plan.fleet, end)
        if end is None or left:
            return left
        for one in self._plan.fleet.kept:
            first = min(stored_candles(database, one))
            if what := unsettled(database, one, first, one.timeframe.newest_closed(end)):
                left.append(what)
        return left

    def _judge(self, host: Processes, witness: Witness, database: Database) -> None:
        verdict = self._outcome.verdict
        witness.judge(verdict)
        lines = ((who, line) for who, line in host.log_lines() if who.startswith("load-"))
        judge_words(verdict, lines, database)
        judge_fleet(verdict, database, self._plan.fleet, host.truth)
        for one in self._plan.fleet.trading:
            done = subprocess.run(
                [sys.executable, "-m", "trader", "audit", one.strategy_id],
                env={**os.environ, "DATABASE_URL": host.database_url},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                told = [line for line in done.stdout.splitlines() if line.endswith("known cause")]
                verdict.blame("audit not clean", f"{one.strategy_id}: {told} {done.stderr}")
            else:
                verdict.counts["audits clean"] += 1


def _await_commit(watch: Watch, within_s: float = 1.0) -> None:
    seen, deadline = watch.commits(), time.monotonic() + within_s
    while watch.commits() == seen and time.monotonic() < deadline:
        time.sleep(0.001)
