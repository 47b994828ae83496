"""Real traders for the tests: processes with an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.database import Database

ROOT = Path(__file__).parents[2]
ID = "trader-btc-binance-1h"


class Trader:
    """One process: `python -m trader`."""

    def __init__(self, url: str, log: Path, *arguments: str, **variables: str) -> None:
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "trader", *arguments],
                cwd=ROOT,
                env=environment(url, **variables),
                stdout=output,
                stderr=output,
            )
        self.log = log

    def end(self) -> int:
        """Waits until it ends by itself; its exit status."""
        return self.process.wait(timeout=20)

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=10)

    def kill(self) -> None:
        """SIGKILL; nothing if it has ended already."""
        self.process.kill()
        self.process.wait(timeout=10)


def environment(url: str, **variables: str) -> dict[str, str]:
    """This process's environment, with no leftovers that a trader would read."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "PYTHONPYCACHEPREFIX")
        if name in os.environ
    }
    return kept | {"DATABASE_URL": url, "LOG_FORMAT": "json"} | variables


def run_trader(url: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a trader to its end."""
    return subprocess.run(
        [sys.executable, "-m", "trader", *arguments],
        cwd=ROOT,
        env=environment(url, **variables),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def rows(database: Database, query: str, **values: object) -> list[tuple[object, ...]]:
    """What a query answers."""
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]


def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    return int(str(rows(database, f"SELECT count(*) FROM {table}")[0][0]))


def eventually(found: Callable[[], object], *, within_s: float = 20.0) -> None:
    """Waits until a condition holds.

    Raises:
        AssertionError: it did not within that time.
    """
    deadline = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.005)
