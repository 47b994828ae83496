"""The backfiller's surroundings in a test: a practice exchange, a database, and the daemon as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from backfiller.daemon import Daemon
from backfiller.progress import LogProgress
from backfiller.settings import load_settings
from backfiller.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from backfiller.planner import Span
    from common.database import Database

ROOT = Path(__file__).parents[2]
DEADLINE_S = 45.0
_PAGE = 10_000
STEP = 60_000  # of 1m candles


def until(condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """Waits for a condition, and returns what it found."""
    deadline = time.monotonic() + deadline_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"within {deadline_s:.0f} s: expected {what}"
        time.sleep(0.05)
    return found


def times(spans: Iterable[Span]) -> list[int]:
    """The open times in those spans of 1m candles."""
    return [time for span in spans for time in range(span.first, span.last + 1, STEP)]


def at(minutes: Iterable[int]) -> list[int]:
    """The open times of those minutes."""
    return [minute * STEP for minute in sorted(minutes)]


@dataclass
class Practice:
    """A practice exchange."""

    port: int
    speed: float
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "BINANCE_API_URL": f"http://127.0.0.1:{self.port}/binance",
            "COINBASE_API_URL": f"http://127.0.0.1:{self.port}/coinbase",
            "KRAKEN_API_URL": f"http://127.0.0.1:{self.port}/kraken",
            "CLOCK_SPEED": str(self.speed),
        }

    def get(self, path: str, **parameters: Any) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(self._url(f"{path}?{query}"), timeout=10) as answer:
            return json.load(answer)

    def calls(self, exchange: str, endpoint: str) -> int:
        return int(self.get("calls").get(exchange, {}).get(endpoint, 0))

    def fail(self, **fault: Any) -> None:
        """Lets a fault wait; see practice.faults."""
        self._send("POST", "faults", json.dumps(fault).encode())

    def heal(self) -> None:
        self._send("DELETE", "faults")

    def truth(self, exchange: str, symbol: str, timeframe: str, since: float) -> list[list[float]]:
        """All closed candles from `since` on, oldest first."""
        market = {"exchange": exchange, "symbol": symbol, "timeframe": timeframe}
        found: list[list[float]] = []
        while page := self.get("candles", **market, since=int(since), limit=_PAGE):
            found += page
            if len(page) < _PAGE:
                break
            since = page[-1][0] + 1
        return found

    def now(self) -> int:
        return int(self.get("clock")["now_ms"])

    def _send(self, method: str, path: str, body: bytes | None = None) -> None:
        request = urllib.request.Request(self._url(path), data=body, method=method)
        urllib.request.urlopen(request, timeout=10).close()

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/practice/{path}"


@contextmanager
def practice_at(speed: float) -> Iterator[Practice]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--port", port, "--speed", speed, "--start", "2025-06-01T00:00:30Z", "--seed", 7)
    command = [sys.executable, "-m", "practice", *(str(option) for option in options)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    practice = Practice(port, speed, process)

    def answers() -> bool:
        try:
            return bool(practice.get("health"))
        except OSError:
            return False

    try:
        until(answers, "a practice exchange that answers")
        yield practice
    finally:
        process.kill()
        process.wait()


def rows(database: Database, query: str, **parameters: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.text(query), parameters).all())


def stored(database: Database, exchange: str, symbol: str, timeframe: str) -> list[list[float]]:
    """The stored candles, as the practice exchange tells its truth."""
    found = rows(
        database,
        "SELECT timestamp, open, high, low, close, volume FROM ohlcv_data WHERE exchange = :e "
        "AND symbol = :s AND timeframe = :t ORDER BY timestamp",
        e=exchange,
        s=symbol,
        t=timeframe,
    )
    return [list(row) for row in found]


def once(practice: Practice, database: Database, folder: Path, config: str) -> list[str]:
    """What `--once` does, without a process: everything real but the start, which takes a second."""
    file = folder / "backfiller.yml"
    file.write_text(config, encoding="utf-8")
    environment = practice.environment | {"BACKFILLER_CONFIG": str(file)}
    shared = Shared.of(load_settings(environment), environment, database, LogProgress())
    try:
        return asyncio.run(Daemon(shared).once(asyncio.Event()))
    finally:
        shared.thread.close()


@dataclass
class Daemons:
    """Starts backfillers, and ends at its end what is left of them."""

    folder: Path
    database_url: str
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def environment(self, practice: Practice | None, config: str) -> dict[str, str]:
        file = self.folder / "backfiller.yml"
        file.write_text(config, encoding="utf-8")
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "DATABASE_URL": self.database_url,
            "BACKFILLER_CONFIG": str(file),
            **(practice.environment if practice else {}),
        }

    def start(
        self, practice: Practice | None, config: str, *words: str, **settings: str
    ) -> subprocess.Popen[str]:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "backfiller", *words],
            cwd=ROOT,
            env=self.environment(practice, config) | settings,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(daemon)
        return daemon

    def run(
        self, practice: Practice | None, config: str, *words: str, **settings: str
    ) -> tuple[int, str]:
        """Runs one to its end: its exit status, and what it said."""
        daemon = self.start(practice, config, *words, **settings)
        _, said = daemon.communicate(timeout=DEADLINE_S)
        return daemon.returncode, said

    def end(self) -> None:
        for daemon in self.running:
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGKILL)
                daemon.communicate()
