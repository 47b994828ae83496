"""Where a fleet runs: as processes of this machine. `containers.py` has the other place."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

import psutil

import schema
from common.registry import Registry
from scripts.local_suite import DaemonEnded, LocalSuite
from tests.load.plan import START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from common.partition import Partition
    from scripts.local_suite import Daemon
    from tests.load.plan import LoadPlan

TIMINGS = "timings"  # the folder of what tests/load/timed.py notes
# A hundred that start at once on two cores keep each other from the lock for more than the 10 s after which one gives up
# (status 75), and compose starts it again.
_AT_ONCE = 10
_REGISTERED_WITHIN_S = 120.0
OPEN = "practice exchange is open: "


class Host(Protocol):
    """A running fleet."""

    @property
    def database_url(self) -> str:
        """Its database."""

    @property
    def folder(self) -> Path:
        """Where the database lies, with the folder of timings."""

    def start(self) -> None:
        """Starts all of it."""

    def now(self) -> int:
        """The market's time."""

    def truth(self, partition: Partition, first: int, last: int) -> dict[int, tuple[float, ...]]:
        """The candles as they truly are."""

    def require_running(self) -> None:
        """Raises DaemonEnded if one has ended by itself."""

    def processes(self) -> dict[str, psutil.Process]:
        """The process of each daemon."""

    def log_lines(self) -> Iterator[tuple[str, str]]:
        """Each line that each daemon has logged; of the exchange, only what is a complaint."""

    def stop(self) -> list[str]:
        """Asks traders and backfiller to end; what was wrong with that."""


class TimedSuite(LocalSuite):
    """A local suite whose traders and backfiller note when they commit."""

    def _start(self, name: str, command: tuple[str, ...], settings: dict[str, str]) -> Daemon:
        if command[0] in {"trader", "backfiller"}:
            file = self.folder / TIMINGS / f"{name}.csv"
            file.parent.mkdir(exist_ok=True)
            command = ("tests.load.timed", command[0], str(file))
        return super()._start(name, command, settings)


class Processes:
    """See `Host`: a local suite."""

    def __init__(self, plan: LoadPlan, suite: LocalSuite) -> None:
        self.suite = suite
        self._fleet = plan.fleet

    @property
    def database_url(self) -> str:
        """See `Host`."""
        return self.suite.database_url

    @property
    def folder(self) -> Path:
        """See `Host`."""
        return self.suite.folder

    def start(self) -> None:
        """See `Host`."""
        self.suite.start_exchange()
        file = self.folder / "backfiller.yml"
        file.write_text(self._fleet.configuration(), encoding="utf-8")
        self.suite.start_backfiller(
            BACKFILLER_CONFIG=str(file), TICKER_INTERVAL_S="2", LOG_FORMAT="json"
        )
        with closing(schema.open_database(self.database_url)) as database:
            for number, trading in enumerate(self._fleet.trading, start=1):
                own = dict(trading.settings)
                self.suite.start_trader(own.pop("STRATEGY_ID"), **own)
                if number % _AT_ONCE == 0:
                    self._await_registered(Registry(database), number)

    def _await_registered(self, registry: Registry, count: int) -> None:
        deadline = time.monotonic() + _REGISTERED_WITHIN_S
        while len(registry.strategy_ids()) < count:
            self.require_running()
            if time.monotonic() > deadline:
                raise DaemonEnded(
                    f"{count} traders did not register in {_REGISTERED_WITHIN_S:.0f} s"
                )
            time.sleep(0.1)

    def now(self) -> int:
        """See `Host`."""
        return int(self.suite.rehearsal("clock")["now_ms"])

    def truth(self, partition: Partition, first: int, last: int) -> dict[int, tuple[float, ...]]:
        """See `Host`."""
        return self.suite.truth(partition, first, last)

    def require_running(self) -> None:
        """See `Host`."""
        self.suite.require_running()

    def processes(self) -> dict[str, psutil.Process]:
        """See `Host`."""
        return {
            name: psutil.Process(daemon.process.pid) for name, daemon in self.suite.daemons.items()
        }

    def log_lines(self) -> Iterator[tuple[str, str]]:
        """See `Host`."""
        for file in sorted(self.folder.glob("*.log")):
            with file.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    if OPEN not in line:
                        yield file.stem, line.rstrip("\n")

    def stop(self) -> list[str]:
        """See `Host`: the traders first, so that no candle comes after the last one was looked at."""
        names = [*(one.strategy_id for one in self._fleet.trading), "backfiller"]
        statuses = {name: self.suite.stop(name) for name in names}
        return [f"{name} ended with status {status}" for name, status in statuses.items() if status]


def local(plan: LoadPlan, folder: Path) -> LocalSuite:
    """The suite that `Processes` runs on, to be entered."""
    return TimedSuite(folder, speed=plan.speed, seed=plan.seed, start=START)
