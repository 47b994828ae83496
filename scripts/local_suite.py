"""The suite as processes of this machine, on a practice exchange: for the demo, the benchmarks and tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import schema
from scripts.practice_client import PracticeClient

if TYPE_CHECKING:
    from pathlib import Path

    from common.partition import Partition

_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 5.0


class DaemonEnded(Exception):
    """A process ended by itself, or did not come up; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running process of the suite, what it was started with, and the file that its log goes to."""

    name: str
    command: tuple[str, ...]
    settings: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path


class LocalSuite:
    """One folder with a new database and the logs, and the processes that work on it.

    As a context it stops them all at its end, the last started first.
    """

    def __init__(
        self, folder: Path, *, speed: float = 1.0, seed: int = 1, start: str | None = None
    ) -> None:
        """Market time begins at `start`, such as 2025-06-01T00:00:00Z; None: now."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database_path = folder / "trading.db"
        self.database_url = f"sqlite:///{self.database_path}"
        self.daemons: dict[str, Daemon] = {}
        self._port = _free_port()
        self._practice = PracticeClient(self.exchange_url)
        self._speed = speed
        self._seed = seed
        self._start_at = start
        schema.upgrade(self.database_url)

    @property
    def exchange_url(self) -> str:
        """Where the practice exchange listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_urls(self) -> dict[str, str]:
        """What points a process at the practice exchange."""
        exchanges = ("binance", "coinbase", "kraken")
        return {f"{name.upper()}_API_URL": f"{self.exchange_url}/{name}" for name in exchanges}

    def start_exchange(self, *words: str) -> Daemon:
        """Starts the practice exchange with those further words of its command line, and waits until it answers."""
        options: dict[str, str | float] = {"port": self._port, "speed": self._speed}
        options |= {"seed": self._seed} | ({"start": self._start_at} if self._start_at else {})
        state = ("--state", str(self.folder / "practice.db"))
        flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        daemon = self._start("practice", ("practice", *flags, *state, *words), {})
        self._await_exchange(daemon)
        return daemon

    def _await_exchange(self, daemon: Daemon) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not _answers(f"{self.exchange_url}/practice/health"):
            self.require_running()
            if time.monotonic() > deadline:
                raise DaemonEnded(
                    f"practice did not answer within {_READY_WITHIN_S:.0f} s, see {daemon.log}"
                )
            time.sleep(0.1)

    def rehearsal(
        self, path: str, *, method: str = "GET", body: Any = None, **query: str | int
    ) -> Any:
        """What the practice exchange answers under /practice, see docs/PRACTICE.md."""
        return self._practice.rehearsal(path, method=method, body=body, **query)

    def truth(self, partition: Partition, first: int, last: int) -> dict[int, tuple[float, ...]]:
        """The closed candles that open from `first` to `last` as they truly are, by their open time."""
        return self._practice.truth(partition, first, last)

    def start_backfiller(self, **settings: str) -> Daemon:
        """Starts the backfiller on the practice exchange."""
        shared = self.api_urls | {"CLOCK_SPEED": str(self._speed)}
        return self._start("backfiller", ("backfiller",), shared | settings)

    def start_trader(self, strategy_id: str, **settings: str) -> Daemon:
        """Starts a trader."""
        return self._start(strategy_id, ("trader",), {"STRATEGY_ID": strategy_id} | settings)

    def stop(self, name: str) -> int:
        """Asks a process to end; its exit status."""
        daemon = self.daemons.pop(name)
        daemon.process.terminate()
        try:
            return daemon.process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._end(daemon)
            raise DaemonEnded(
                f"{name} did not end within {_STOP_WITHIN_S:.0f} s of SIGTERM"
            ) from None

    def kill_and_restart(self, name: str) -> Daemon:
        """Kills a process as a crash does, and starts it anew as it was."""
        killed = self.daemons.pop(name)
        self._end(killed)
        started = self._start(name, killed.command, killed.settings)
        if name == "practice":
            self._await_exchange(started)
        return started

    def require_running(self) -> None:
        """Raises DaemonEnded if a process has ended by itself."""
        for daemon in self.daemons.values():
            if daemon.process.poll() is not None:
                log = daemon.log.read_text(encoding="utf-8", errors="replace")
                end = "\n".join(log.splitlines()[-8:])
                raise DaemonEnded(
                    f"{daemon.name} ended with status {daemon.process.returncode}:\n{end}"
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self.daemons.values():
            daemon.process.terminate()
        deadline = time.monotonic() + _STOP_WITHIN_S
        for daemon in reversed(self.daemons.values()):
            try:
                daemon.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._end(daemon)

    def _start(self, name: str, command: tuple[str, ...], settings: dict[str, str]) -> Daemon:
        log = self.folder / f"{name}.log"
        given = {"DATABASE_URL": self.database_url, "LOG_FORMAT": "text"} | settings
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own modules, our own interpreter
                [sys.executable, "-m", *command],
                env={**os.environ, **given},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the one who started the suite
            )
        daemon = Daemon(name, command, settings, process, log)
        self.daemons[name] = daemon
        return daemon

    @staticmethod
    def _end(daemon: Daemon) -> None:
        daemon.process.kill()
        daemon.process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own process
            return True
    except (urllib.error.URLError, OSError):
        return False
