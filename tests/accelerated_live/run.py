"""A month of live traders: real processes, random weather, kills; and whose books are right at its end."""

from __future__ import annotations

import base64
import importlib.util
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import psutil
import sqlalchemy as sa

import schema
from common.controls import FLEET, Control, Controls, ControlState
from scripts.local_suite import LocalSuite
from tests.accelerated.truth import Verdict
from tests.accelerated_live.looking import OVER, await_order, behind, not_halted, undone
from tests.accelerated_live.plan import MANY, START, TRADERS
from tests.accelerated_live.record import record_of
from tests.accelerated_live.truth import Sides, halts, judge, judge_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from common.database import Database
    from tests.accelerated_live.plan import Kill, LivePlan, Trading

DEPOSIT = Decimal(100_000)  # of quote currency, of which the books have a part
SECRET = "a-practice-secret"
_LOOK_EVERY_S, _MEASURE_EVERY_S, _TELL_EVERY_S = 0.1, 2.0, 30.0
_STOP_WITHIN_S = 2.0
_MB = 1_000_000


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    verdict: Verdict = field(default_factory=lambda: Verdict(needs="trades equal"))
    suffered: Counter[str] = field(
        default_factory=Counter
    )  # requests, by the weather's kind of fault
    orders_struck: Counter[str] = field(default_factory=Counter)  # by those that waited for them
    questions_struck: Counter[str] = field(default_factory=Counter)  # about accounts, the same
    kills: Counter[str] = field(default_factory=Counter)  # by victim, and whether amid an order
    events: Counter[str] = field(default_factory=Counter)  # of the event log, by daemon and kind
    memory: dict[str, list[float]] = field(
        default_factory=dict
    )  # of each trader's last process, in MB
    audit: str = ""
    settled_s: float = 0.0  # how long it took after the weather


class LiveRun:
    """One run of a plan in a folder of its own."""

    def __init__(self, plan: LivePlan, folder: Path, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._tell = tell
        self._outcome = Outcome()
        self._measured = self._told = 0.0
        self._weathers = 0

    def run(self, *, settle_within_s: float) -> Outcome:
        """Runs it, and compares at its end.

        Raises:
            DaemonEnded: a process ended by itself.
        """
        plan = self._plan
        with LocalSuite(self._folder, speed=plan.speed, seed=plan.seed, start=START) as suite:
            keys = [word for one in TRADERS for word in ("--key", f"{one.strategy_id}:{SECRET}")]
            balances = ("--balance", f"USD={DEPOSIT}", "--balance", f"USDT={DEPOSIT}")
            suite.start_exchange(*keys, *balances)
            self._begin_weather(suite)
            configuration = self._folder / "backfiller.yml"
            configuration.write_text(plan.configuration(), encoding="utf-8")
            suite.start_backfiller(BACKFILLER_CONFIG=str(configuration), TICKER_INTERVAL_S="1")
            for trading in TRADERS:
                suite.start_trader(trading.strategy_id, **self._settings(suite, trading))
            database = schema.open_database(suite.database_url)
            try:
                self._live(suite, database)
                self._end_weather(suite)
                self._settle(suite, database, settle_within_s)
                self._stop(suite)
                self._compare(suite, database)
            finally:
                database.close()
        return self._outcome

    def _settings(self, suite: LocalSuite, trading: Trading) -> dict[str, str]:
        """A trader's environment; its keys are in files, as Docker's secrets are."""
        secret = (
            base64.b64encode(SECRET.encode()).decode() if trading.exchange == "kraken" else SECRET
        )
        given = dict(trading.settings)
        for name, text in (("API_KEY", trading.strategy_id), ("API_SECRET", secret)):
            file = self._folder / f"{trading.strategy_id}.{name.lower()}"
            file.write_text(f"{text}\n", encoding="utf-8")
            given[f"{trading.exchange.upper()}_{name}_FILE"] = str(file)
        return given | suite.api_urls

    # --- the days ---

    def _live(self, suite: LocalSuite, database: Database) -> None:
        kills = self._plan.moments()
        while (now := suite.rehearsal("clock")["now_ms"]) < self._plan.end:
            suite.require_running()
            if kills and now >= kills[0].at:
                self._kill(suite, database, kills.pop(0))
            self._measure(suite, now)
            time.sleep(_LOOK_EVERY_S)

    def _kill(self, suite: LocalSuite, database: Database, kill: Kill) -> None:
        amid = kill.amid_order and await_order(suite, database, kill.victim)
        time.sleep(kill.after_s)
        if kill.victim == "practice":
            self._end_weather(suite)
        suite.kill_and_restart(kill.victim)
        if kill.victim == "practice":
            self._begin_weather(suite)
        self._outcome.kills[f"{kill.victim}{' amid an order' if amid else ''}"] += 1

    def _begin_weather(self, suite: LocalSuite) -> None:
        """Another one after each restart of the exchange, whose requests are counted from the start again."""
        self._weathers += 1
        seed = self._plan.seed * 1000 + self._weathers
        suite.rehearsal("weather", method="POST", body={"rate": self._plan.rate, "seed": seed})
        suite.rehearsal("faults", method="POST", body=self._plan.faults(seed))

    def _end_weather(self, suite: LocalSuite) -> None:
        self._outcome.suffered.update(suite.rehearsal("weather")["suffered"])
        suite.rehearsal("weather", method="DELETE")
        for fault in suite.rehearsal("faults"):
            told = (
                f"{fault['kind']} {fault['status']}" if fault["kind"] == "status" else fault["kind"]
            )
            on = (
                self._outcome.orders_struck
                if fault["endpoint"] == "place_order"
                else self._outcome.questions_struck
            )
            on[told] += MANY - fault["count"]
        suite.rehearsal("faults", method="DELETE")

    def _measure(self, suite: LocalSuite, now: int) -> None:
        """Notes the traders' memory now and then, and tells how far the run has come."""
        if time.monotonic() < self._measured + _MEASURE_EVERY_S:
            return
        self._measured = time.monotonic()
        for trading in TRADERS:
            process = psutil.Process(suite.daemons[trading.strategy_id].process.pid)
            sizes = self._outcome.memory.setdefault(trading.strategy_id, [])
            sizes.append(process.memory_info().rss / _MB)
        if self._measured > self._told + _TELL_EVERY_S:
            self._told = self._measured
            sizes_now = ", ".join(
                f"{name} {size[-1]:.0f}" for name, size in self._outcome.memory.items()
            )
            self._tell(f"day {(now - self._plan.first) / 86_400_000:.1f}: MB {sizes_now}")

    # --- their end ---

    def _settle(self, suite: LocalSuite, database: Database, within_s: float) -> None:
        """Waits until every trader trades and has seen the days; then lets them send no more, and settle.

        They are halted when none has an order on its way: one in doubt would have to be certain before it is given up.
        """
        began = time.monotonic()
        await_none = partial(self._await_none, suite, began + within_s)
        await_none("trades on", lambda: behind(database, self._plan.end))
        await_none("rests", lambda: undone(database))
        halts(self._outcome.verdict, database)
        Controls(database).set(FLEET, Control(ControlState.HALTED, OVER))
        await_none("has halted", lambda: not_halted(database))
        await_none("has settled", lambda: undone(database))
        self._outcome.settled_s = time.monotonic() - began

    def _await_none(
        self, suite: LocalSuite, deadline: float, what: str, left_of: Callable[[], list[str]]
    ) -> None:
        while (left := left_of()) and time.monotonic() < deadline:
            suite.require_running()
            time.sleep(_LOOK_EVERY_S)
        for name in left:
            self._outcome.verdict.blame("not settled", f"expected that {name} {what}")

    def _stop(self, suite: LocalSuite) -> None:
        for trading in TRADERS:
            asked = time.monotonic()
            status = suite.stop(trading.strategy_id)
            took_s = time.monotonic() - asked
            if status != 0 or took_s > _STOP_WITHIN_S:
                told = f"{trading.strategy_id}: status {status} after {took_s:.1f} s"
                self._outcome.verdict.blame("stopped badly", told)
        suite.stop("backfiller")
        suite.stop("practice")

    def _compare(self, suite: LocalSuite, database: Database) -> None:
        verdict = self._outcome.verdict
        for trading in TRADERS:
            record = record_of(suite.folder / "practice.db", trading.exchange, trading.strategy_id)
            balance = Decimal(trading.settings["STARTING_BALANCE"])
            judge(verdict, Sides(trading, database, record, DEPOSIT, balance))
        judge_file(verdict, database)
        query = sa.select(schema.events.c.source, schema.events.c.kind)
        with database.read() as connection:
            self._outcome.events.update(f"{who} {kind}" for who, kind in connection.execute(query))
        self._audit(suite)

    def _audit(self, suite: LocalSuite) -> None:
        if importlib.util.find_spec("trader.audit") is None:
            self._outcome.audit = "not in this checkout"
            return
        for trading in TRADERS:
            done = subprocess.run(
                [sys.executable, "-m", "trader", "audit", trading.strategy_id],
                env={**os.environ, "DATABASE_URL": suite.database_url},
                capture_output=True,
                text=True,
                check=False,
            )
            self._outcome.audit += (
                f"\n{trading.strategy_id}: status {done.returncode}\n{_in_short(done)}"
            )
            if done.returncode != 0:
                self._outcome.verdict.blame("audit not clean", trading.strategy_id)


def _in_short(audit: subprocess.CompletedProcess[str]) -> str:
    """What an audit counted, and the differences that it cannot explain: those it can are many after so many kills."""
    _, *parts = audit.stdout.split("\n\n")
    unexplained = [line for line in audit.stdout.splitlines() if line.endswith("no known cause")]
    return "\n".join([*parts[:2], *unexplained, audit.stderr])
