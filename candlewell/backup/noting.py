"""What became of backups and drills, as events of the database they are of, so that its status can tell their age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.archive import Archive
from common.database import connect
from common.events import EventLog

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "backup"


def note(database: Path, level: str, kind: str, message: str, **detail: Any) -> None:
    """Writes an event, in a database of any version.

    Raises:
        ConfigurationError: the database cannot be opened for writing.
        TransientError: it was locked too long, or is full.
    """
    opened = connect(f"sqlite:///{database}")
    try:
        EventLog(opened, SOURCE).keep(level, kind, message, **detail)
    finally:
        opened.close()


def lost_months(database: Path) -> list[Path]:
    """Files of archived months that the database names and that are not there."""
    opened = connect(f"sqlite:///{database}")
    try:
        archive = Archive(opened)
        paths = [archive.path(partition, month) for partition, month in archive.noted()]
    finally:
        opened.close()
    return [path for path in paths if not path.exists()]
