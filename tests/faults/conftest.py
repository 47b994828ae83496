"""The fleet of each fault, on a disk that may be one of its own."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from scripts.local_suite import LocalSuite
from tests.faults.surroundings import SPEED, Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def fleet_in(folder: Path, speed: float = SPEED) -> Iterator[Fleet]:
    with LocalSuite(folder, speed=speed, seed=7, start="2025-06-01T00:00:00Z") as suite:
        yield Fleet(suite)


@pytest.fixture
def fleet(tmp_path) -> Iterator[Fleet]:
    """A practice exchange, the backfiller and a trader that has traded, half an hour in each second."""
    with fleet_in(tmp_path) as found:
        found.start()
        yield found
