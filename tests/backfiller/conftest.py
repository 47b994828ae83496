"""The backfiller's surroundings in a test, as fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backfiller.surroundings import Daemons, Practice, once, practice_at

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _slow_practice() -> Iterator[Practice]:
    with practice_at(1.0) as practice:
        yield practice


@pytest.fixture
def practice(_slow_practice) -> Iterator[Practice]:
    """A practice exchange as fast as life, without faults."""
    _slow_practice.heal()
    yield _slow_practice
    _slow_practice.heal()


@pytest.fixture(scope="session")
def fast_practice() -> Iterator[Practice]:
    """A practice exchange on which an hour passes in six seconds."""
    with practice_at(600.0) as practice:
        yield practice


@pytest.fixture
def fill(practice, database, tmp_path):
    """Fills what a configuration asks for, as `--once` does; returns what could not be had."""
    return lambda config: once(practice, database, tmp_path, config)


@pytest.fixture
def daemons(tmp_path, database_url) -> Iterator[Daemons]:
    found = Daemons(tmp_path, database_url)
    yield found
    found.end()
