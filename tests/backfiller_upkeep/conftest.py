"""Surroundings of the upkeep's tests: a practice exchange, daemons, and a disk that is small."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import schema
from tests.backfiller.surroundings import Daemons, Practice, practice_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def practice() -> Iterator[Practice]:
    """A practice exchange as fast as life."""
    with practice_at(1.0) as found:
        yield found


@pytest.fixture
def daemons(tmp_path, database_url) -> Iterator[Daemons]:
    found = Daemons(tmp_path, database_url)
    yield found
    found.end()


@dataclass
class SmallDisk:
    """A file system of its own."""

    folder: Path

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder}/trading.db"

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def leave(self, size: int) -> None:
        """Fills it until only so many bytes are left."""
        with self.ballast.open("ab") as file:
            file.write(bytes(self.free() - size))


@pytest.fixture
def small_disk(tmp_path, database_url) -> Iterator[SmallDisk]:
    """16 MB with a new shared database on it."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small file system")
    disk = SmallDisk(folder)
    try:
        schema.upgrade(disk.database_url)
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
