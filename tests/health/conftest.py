from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backfiller.surroundings import Practice, practice_at
from tests.health.daemon import Daemon
from tests.trader.market import TestMarket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def _practice() -> Iterator[Practice]:
    with practice_at(60.0) as practice:
        yield practice


@pytest.fixture
def practice(_practice) -> Iterator[Practice]:
    """A practice exchange on which a minute passes in a second; no fault waits."""
    _practice.heal()
    yield _practice
    _practice.heal()


@pytest.fixture
def market(database_url) -> Iterator[TestMarket]:
    found = TestMarket(database_url)
    found.open()
    yield found
    found.close()


@pytest.fixture
def daemon(tmp_path, database_url) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons with a heartbeat file each, and ends them."""
    started: list[Daemon] = []

    def start(module: str, *, first: str = "", **settings: str) -> Daemon:
        started.append(Daemon(module, tmp_path, database_url, first=first, **settings))
        return started[-1]

    yield start
    for one in started:
        one.kill()
