"""A fleet that runs on a practice exchange, and `candlewell` as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schema
from scripts.demo import TRADER_SETTINGS, TRADERS
from scripts.local_suite import LocalSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True)
class Command:
    """`candlewell` on one database."""

    database_url: str

    def __call__(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs it, and requires that exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "candlewell", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *words: str, status: int = 0) -> Any:
        """What it prints with --json."""
        return json.loads(self(*words, "--json", status=status).stdout)

    def mistake(self, *words: str) -> str:
        """The one line that it says of a mistake of its user's."""
        done = self(*words, status=2)
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        return line

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DATABASE_URL": self.database_url, "LOG_FORMAT": "text"}


@pytest.fixture(scope="session")
def suite(tmp_path_factory) -> Iterator[LocalSuite]:
    """Practice exchange, backfiller and the demo's traders, each of which has traded; tests leave it so."""
    with LocalSuite(tmp_path_factory.mktemp("fleet"), speed=1800.0, seed=7) as running:
        running.start_exchange()
        running.start_backfiller(TICKER_INTERVAL_S="1")
        for strategy_id, market in TRADERS.items():
            running.start_trader(strategy_id, **market, **TRADER_SETTINGS)
        candlewell = Command(running.database_url)

        def all_have_traded() -> bool:
            return {row["strategy_id"] for row in candlewell.json("trades")} == set(TRADERS)

        wait_until("a trade of each trader", all_have_traded, suite=running)
        yield running


@pytest.fixture
def candlewell(suite) -> Command:
    """On the fleet that runs."""
    return Command(suite.database_url)


@pytest.fixture
def alone(database_url) -> Command:
    """On a new database, on which nothing runs."""
    return Command(database_url)


@pytest.fixture
def database(suite):
    opened = schema.open_database(suite.database_url)
    yield opened
    opened.close()


def wait_until(
    what: str, condition: Callable[[], bool], *, suite: LocalSuite | None = None
) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if suite is not None:
            suite.require_running()
        assert time.monotonic() < deadline, f"waited {DEADLINE_S:.0f} s for {what}"
        time.sleep(0.1)
