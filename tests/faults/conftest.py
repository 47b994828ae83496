"""The fleet of each fault, on a disk that may be one of its own."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import schema
from scripts.local_suite import LocalSuite
from tests.faults.surroundings import SPEED, Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def fleet_in(folder: Path, *, disk: Path | None = None, speed: float = SPEED) -> Iterator[Fleet]:
    """A fleet that is not started yet; its database is on that disk, its logs are not."""
    with LocalSuite(folder / "suite", speed=speed, seed=7, start="2025-06-01T00:00:00Z") as suite:
        if disk is not None:
            suite.database_path = disk / "trading.db"
            suite.database_url = f"sqlite:///{suite.database_path}"
            schema.upgrade(suite.database_url)
        yield Fleet(suite)


@pytest.fixture
def fleet(tmp_path) -> Iterator[Fleet]:
    """A practice exchange, the backfiller and a trader that has traded, half an hour in each second."""
    with fleet_in(tmp_path) as found:
        found.start()
        yield found


def mount(folder: Path, *words: str) -> None:
    """Mounts a file system at that folder; skips the test where this user may not."""
    try:
        subprocess.run(["mount", *words, str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the right to mount a small file system: {error}")


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """The folder of a file system of 16 MB, with nothing on it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def fleet_on_it(tmp_path, disk) -> Iterator[Fleet]:
    """A fleet that has traded, and whose database is on that disk."""
    with fleet_in(tmp_path, disk=disk) as found:
        found.start()
        yield found
