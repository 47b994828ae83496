"""The backups in a folder.

    <folder>/trading-20260101T030000Z/manifest.json
                                      trading.db.gz
                                      config/...
    <folder>/archive/...                              shared by all, see `archives`

What has a backup's name is whole: it got the name when all of it was on the disk. Single files of that name,
`trading-20260101T030000Z.db` and `.db.gz`, were made before there were folders; they count, and can be restored.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from candlewell.backup.errors import BadBackup
from candlewell.backup.manifest import NAME, Manifest

if TYPE_CHECKING:
    from pathlib import Path

_TIME = "%Y%m%dT%H%M%SZ"
_PATTERN = re.compile(r"(?P<stem>.+)-(?P<time>\d{8}T\d{6}Z)(?P<suffix>|\.db|\.db\.gz)")


@dataclass(frozen=True, slots=True, order=True)
class Backup:
    """A backup that is there: when it was made (UTC), and its folder, or its single file."""

    made: datetime
    path: Path

    @property
    def manifest(self) -> Manifest | None:
        """What it says of itself; None of a single file.

        Raises:
            BadBackup: it cannot be read.
        """
        return Manifest.read(self.path) if self.path.is_dir() else None

    @property
    def age_s(self) -> float:
        """Seconds since it was made, by this machine's clock."""
        return (datetime.now(UTC) - self.made).total_seconds()


def backups_in(folder: Path, stem: str | None = None) -> list[Backup]:
    """The backups in that folder, oldest first; of the database of that name, or of all."""
    if not folder.is_dir():
        return []
    found = [backup for path in folder.iterdir() if (backup := _parse(path, stem))]
    return sorted(found)


def new_name(folder: Path, stem: str) -> tuple[str, datetime]:
    """A name with the time in it that no backup has yet, and that time."""
    while True:
        made = datetime.now(UTC).replace(microsecond=0)
        name = f"{stem}-{made:{_TIME}}"
        if not any((folder / f"{name}{suffix}").exists() for suffix in ("", ".db", ".db.gz")):
            return name, made
        time.sleep(0.05)


def chosen(folder: Path, stem: str, which: str) -> Backup:
    """The backup that somebody names: `latest`, its name in the folder, or a path.

    Raises:
        BadBackup: there is none of that name.
    """
    if which == "latest":
        found = backups_in(folder, stem)
        if not found:
            raise BadBackup(f"{folder}: expected a backup of {stem}.db, found none")
        return found[-1]
    for path in (folder / which, folder.__class__(which).absolute()):
        if path.exists():
            return _named(path)
    raise BadBackup(f"{which}: expected a backup in {folder}, or a path to one, found none")


def _named(path: Path) -> Backup:
    """A backup at that path, whatever its name."""
    if (path.is_dir() and (path / NAME).is_file()) or path.name.endswith((".db", ".db.gz")):
        return _parse(path, None) or Backup(
            datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(microsecond=0), path
        )
    raise BadBackup(
        f"{path}: expected a folder with {NAME}, or a file .db or .db.gz; found neither"
    )


def _parse(path: Path, stem: str | None) -> Backup | None:
    match = _PATTERN.fullmatch(path.name)
    if match is None or path.is_symlink() or (stem is not None and match["stem"] != stem):
        return None
    if bool(match["suffix"]) != path.is_file() or (path.is_dir() and not (path / NAME).is_file()):
        return None
    try:
        made = datetime.strptime(match["time"], _TIME).replace(tzinfo=UTC)
    except ValueError:  # a month 13
        return None
    return Backup(made, path)
