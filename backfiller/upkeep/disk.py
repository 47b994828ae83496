"""How much room there is, and what that means. Sizes are in bytes."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from common.filesystem import has_room

if TYPE_CHECKING:
    from pathlib import Path

    from backfiller.upkeep.settings import UpkeepSettings
    from common.database import Database

_TRIAL = 1 << 20
_MORE_TO_OPEN = 1.1  # so that a disk at the floor does not stop and start all the time


class Room(Enum):
    """What is left on the disk, from much to too little."""

    PLENTY = "plenty"
    LOW = "low"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the database lies on, and how much of it the database takes."""

    free: int
    total: int
    database: int
    wal: int

    def room(self, settings: UpkeepSettings, *, is_closed: bool = False) -> Room:
        """What that means; once writing has stopped it takes some more to begin again."""
        if self.free < settings.stop_free * (_MORE_TO_OPEN if is_closed else 1.0):
            return Room.NONE
        enough = max(settings.warn_free, int(self.total * settings.warn_free_percent / 100))
        return Room.LOW if self.free < enough else Room.PLENTY

    def __str__(self) -> str:
        return f"{readable(self.free)} of {readable(self.total)} free, the database has {readable(self.database)}"


def measure(path: Path) -> Disk:
    """The disk of the database at `path`, now."""
    usage = shutil.disk_usage(path.parent)
    wal = path.with_name(f"{path.name}-wal")
    return Disk(usage.free, usage.total, _size(path), _size(wal))


def can_write(database: Database) -> bool:
    """Tries out whether a megabyte can be written: a file, and a transaction that is then undone.

    A quota, or a limit of the database's own, is not seen in what the disk has left.

    Raises:
        DatabaseFull: it cannot.
    """
    with contextlib.suppress(_Undo), database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE upkeep_trial (content)")
        connection.exec_driver_sql("INSERT INTO upkeep_trial VALUES (?)", ("x" * _TRIAL,))
        raise _Undo
    return has_room(database.path.parent, _TRIAL)


def readable(size: int) -> str:
    """That many bytes for a person: 12.3 GB."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1000:.0f} kB"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class _Undo(Exception):
    """Has a transaction undone."""
