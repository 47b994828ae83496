"""A fleet under load: started, measured for some market days, stopped, judged."""

from __future__ import annotations

import csv
import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import sqlalchemy as sa

import schema
from tests.accelerated.truth import Verdict
from tests.load.complaints import judge_events, judge_logs
from tests.load.hosts import TIMINGS
from tests.load.plan import DAY_MS
from tests.load.truth import behind, judge_fleet, without_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from common.database import Database
    from tests.load.hosts import Host
    from tests.load.plan import LoadPlan

_LOOK_EVERY_S, _TELL_EVERY_S = 0.5, 30.0
_START_WITHIN_S, _START_OF_ONE_S = 120.0, 6.0  # for all, and more for each trader
_SETTLE_WITHIN_S = 120.0
_MB = 1_000_000
_TABLES = ("ohlcv_data", "signals", "equity", "orders", "trades")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a kind of daemon took: processor seconds in all, and resident memory of each process in MB.

    `own_mb` is the part of each that no other process shares.
    """

    processor_s: float
    resident_mb: list[float]
    own_mb: list[float]


@dataclass(slots=True)
class Outcome:
    """What came of a run. Delays and commits are in milliseconds, sorted; usage by kind of daemon."""

    verdict: Verdict = field(default_factory=lambda: Verdict(needs="candles with their signal"))
    started_s: float = 0.0
    measured_s: float = 0.0
    busy: float = 0.0  # the share of all cores that was busy, with whatever else
    delays: list[float] = field(default_factory=list)  # from a candle's commit to its signal's
    commits: list[float] = field(default_factory=list)  # of the ledgers
    usage: dict[str, Usage] = field(default_factory=dict)
    bytes_before: int = 0  # of the database when all traders traded
    bytes_after: int = 0
    wal_bytes: int = 0  # at the end
    rows: dict[str, int] = field(default_factory=dict)  # that came meanwhile

    @property
    def share(self) -> float:
        """The share of all cores that the daemons took, the exchange among them."""
        taken = sum(one.processor_s for one in self.usage.values())
        return taken / self.measured_s / (os.cpu_count() or 1)


class LoadRun:
    """One measurement of a plan on a host."""

    def __init__(self, plan: LoadPlan, host: Host, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._host = host
        self._tell = tell
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Runs it and judges at its end.

        Raises:
            DaemonEnded: a process ended by itself, or the fleet did not get to trade.
        """
        outcome, host, fleet = self._outcome, self._host, self._plan.fleet
        began = time.monotonic()
        host.start()
        database = schema.open_database(host.database_url)
        try:
            self._await("has a signal", lambda: behind(database, fleet, None), self._patience_s)
            self._await("is filled", lambda: without_history(database, fleet), _START_WITHIN_S)
            outcome.started_s = time.monotonic() - began
            first_ns = time.monotonic_ns()
            end = self._measure(database)
            last_ns = time.monotonic_ns()
            self._await("has seen the days", lambda: behind(database, fleet, end), _SETTLE_WITHIN_S)
            for wrong in host.stop():
                outcome.verdict.blame("stopped badly", wrong)
            self._judge(database)
        finally:
            database.close()
        self._read_timings(first_ns, last_ns)
        return outcome

    @property
    def _patience_s(self) -> float:
        return _START_WITHIN_S + _START_OF_ONE_S * self._plan.fleet.traders

    def _await(self, what: str, left_of: Callable[[], list[str]], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while (left := left_of()) and time.monotonic() < deadline:
            self._host.require_running()
            time.sleep(_LOOK_EVERY_S)
        for name in left:
            self._outcome.verdict.blame(
                "too late", f"expected within {within_s:.0f} s: {name} {what}"
            )

    def _measure(self, database: Database) -> int:
        """Lets the days go by; the market's time at their end."""
        outcome, host = self._outcome, self._host
        processes = host.processes()
        before = {name: _processor_s(process) for name, process in processes.items()}
        outcome.bytes_before, rows = _bytes_of(database), _rows(database)
        psutil.cpu_percent()  # from here on
        began, now = time.monotonic(), host.now()
        end, told = now + int(self._plan.days * DAY_MS), began
        while (now := host.now()) < end:
            host.require_running()
            if time.monotonic() > told + _TELL_EVERY_S:
                told = time.monotonic()
                self._tell(f"{(end - now) / DAY_MS:.2f} days to go")
            time.sleep(_LOOK_EVERY_S)
        outcome.measured_s = time.monotonic() - began
        outcome.busy = psutil.cpu_percent() / 100
        taken = {name: _processor_s(one) - before[name] for name, one in processes.items()}
        outcome.usage = dict(_usages(processes, taken))
        outcome.bytes_after = _bytes_of(database)
        outcome.wal_bytes = (host.folder / "trading.db-wal").stat().st_size
        outcome.rows = {name: count - rows[name] for name, count in _rows(database).items()}
        return end

    def _judge(self, database: Database) -> None:
        verdict = self._outcome.verdict
        judge_fleet(verdict, database, self._plan.fleet, self._host.truth)
        judge_events(verdict, database)
        judge_logs(verdict, self._host.log_lines())

    def _read_timings(self, first_ns: int, last_ns: int) -> None:
        """Takes what was noted of transactions and of candles that were committed between these moments."""
        folder, outcome = self._host.folder / TIMINGS, self._outcome
        committed: dict[tuple[str, ...], int] = {}
        for _, *market, opened, at in _notes(folder / "backfiller.csv"):
            if first_ns <= int(at) <= last_ns:
                committed[(*market, opened)] = int(at)
        for one in self._plan.fleet.trading:
            market = [one.exchange, one.symbol, one.timeframe]
            for kind, value, ended in _notes(folder / f"{one.strategy_id}.csv"):
                if kind == "ledger" and first_ns <= int(ended) <= last_ns:
                    outcome.commits.append(int(value) / 1e6)
                if kind == "signal" and (candle := committed.get((*market, value))):
                    outcome.delays.append((int(ended) - candle) / 1e6)
        outcome.delays.sort()
        outcome.commits.sort()


def _notes(file: Path) -> Iterator[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.reader(lines)


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _usages(
    processes: Mapping[str, psutil.Process], taken: Mapping[str, float]
) -> Iterator[tuple[str, Usage]]:
    """The usage of each kind of daemon; all traders are one kind."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for name in processes:
        kinds["traders" if name.startswith("load-") else name].append(name)
    for kind, names in kinds.items():
        memory = [processes[name].memory_full_info() for name in names]
        resident = sorted(one.rss / _MB for one in memory)
        own = sorted(one.uss / _MB for one in memory)
        yield kind, Usage(sum(taken[name] for name in names), resident, own)


def _bytes_of(database: Database) -> int:
    """The pages of the database, wherever they are."""
    with database.read() as connection:
        pages, size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_count", "page_size")
        )
    return pages * size


def _rows(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            name: int(
                connection.execute(
                    sa.select(sa.func.count()).select_from(schema.metadata.tables[name])
                ).scalar_one()
            )
            for name in _TABLES
        }
