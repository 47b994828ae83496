"""A fleet in containers: the documented compose files, and one with as many traders over them."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from scripts.local_suite import DaemonEnded
from scripts.practice_client import PracticeClient
from tests.containers.running import GROUP, OWNER, PRACTICE, ROOT, ContainerSuite
from tests.load.hosts import OPEN, TIMINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from common.partition import Partition
    from tests.load.plan import LoadPlan

_TIMED = "tests/load/timed.py"  # no part of the image, so each container gets it
_LOOK_EVERY_S = 5.0
_PATTERN = {"file": str(ROOT / "docker-compose.yml"), "service": "trader-btc-binance-1h"}


class Containers:
    """See `hosts.Host`: a project of docker compose."""

    def __init__(self, plan: LoadPlan, suite: ContainerSuite, traders: list[str]) -> None:
        self._suite = suite
        self._traders = traders
        self._ids: dict[str, str] = {}
        self._practice = PracticeClient("")
        self._looked = 0.0

    @property
    def database_url(self) -> str:
        """See `Host`."""
        return self._suite.database_url

    @property
    def folder(self) -> Path:
        """See `Host`."""
        return self._suite.data

    @property
    def _services(self) -> list[str]:
        return ["practice", "backfiller", *self._traders]

    def start(self) -> None:
        """See `Host`."""
        self._suite.compose("build")
        self._suite.compose("up", "--detach", "--wait", "practice")
        self._practice = PracticeClient(self._suite.exchange_url())
        self._suite.compose("up", "--detach", "--no-build", *self._services)
        self._ids = {name: self._suite.container(name) for name in self._services}

    def now(self) -> int:
        """See `Host`."""
        return int(self._practice.rehearsal("clock")["now_ms"])

    def truth(self, partition: Partition, first: int, last: int) -> dict[int, tuple[float, ...]]:
        """See `Host`."""
        return self._practice.truth(partition, first, last)

    def require_running(self) -> None:
        """See `Host`: one that ended was started again at once, so the starts are counted.

        Looked at every few seconds only: to ask the engine takes a tenth of a second of processor time.
        """
        if time.monotonic() < self._looked + _LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        for name, state in self._states().items():
            if not state["State"]["Running"] or state["RestartCount"]:
                raise DaemonEnded(f"{name} ended by itself:\n{self._suite.logs(name)}")

    def processes(self) -> dict[str, psutil.Process]:
        """See `Host`: of the two processes in a container, the one that is not its init."""
        found = {}
        for name, state in self._states().items():
            (found[name],) = psutil.Process(state["State"]["Pid"]).children()
        return found

    def log_lines(self) -> Iterator[tuple[str, str]]:
        """See `Host`."""
        for name in self._services:
            told = _docker("logs", self._ids[name])
            for line in (told.stdout + told.stderr).splitlines():
                if OPEN not in line:
                    yield name, line

    def stop(self) -> list[str]:
        """See `Host`."""
        self._suite.compose("stop", *self._traders)
        self._suite.compose("stop", "backfiller")
        states = {name: state["State"]["ExitCode"] for name, state in self._states().items()}
        return [
            f"{name} ended with status {status}"
            for name, status in states.items()
            if status and name != "practice"
        ]

    def _states(self) -> dict[str, Any]:
        found = json.loads(_docker("inspect", *self._ids.values()).stdout)
        return dict(zip(self._ids, found, strict=True))


@contextmanager
def containers(plan: LoadPlan, folder: Path) -> Iterator[Containers]:
    """A project of its own, taken away at the end."""
    (folder / TIMINGS).mkdir(parents=True)
    (folder / "backfiller.yml").write_text(plan.fleet.configuration(), encoding="utf-8")
    override = folder / "fleet.yml"
    override.write_text(yaml.safe_dump({"services": _services(plan)}), encoding="utf-8")
    for path in (folder, *folder.iterdir()):
        if os.geteuid() == 0:
            os.chown(path, int(OWNER), int(GROUP))
    files = (*PRACTICE, "-f", str(override))
    suite = ContainerSuite(f"candlewell-load-{os.getpid()}", folder, files)
    suite.environment |= {"PRACTICE_SPEED": f"{plan.speed:g}", "PRACTICE_SEED": str(plan.seed)}
    suite.environment["TICKER_INTERVAL_S"] = "2"
    try:
        yield Containers(plan, suite, [one.strategy_id for one in plan.fleet.trading])
    finally:
        suite.down()


def _services(plan: LoadPlan) -> dict[str, Any]:
    """The traders, each as the documented one, with its own market; and all with the program that notes commits."""
    mounted = [f"{ROOT / _TIMED}:/app/{_TIMED}:ro"]

    def timed(daemon: str, name: str) -> dict[str, Any]:
        file = f"/app/data/{TIMINGS}/{name}.csv"
        return {"command": ["python", "-m", "tests.load.timed", daemon, file], "volumes": mounted}

    services: dict[str, Any] = {
        one.strategy_id: {
            "extends": _PATTERN,
            "environment": one.settings,
            **timed("trader", one.strategy_id),
        }
        for one in plan.fleet.trading
    }
    environment = {"BACKFILLER_CONFIG": "/app/data/backfiller.yml"}
    services["backfiller"] = {"environment": environment, **timed("backfiller", "backfiller")}
    return services


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True)
