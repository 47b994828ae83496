"""Tries the newest backup: restored beside, upgraded, and read as the suite reads its database.

A backup that nobody has restored is a hope. The drill works in a folder of its own in the data folder, which is on a local
disk, and takes as much room there as the database has; nothing of the suite is touched.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import schema
from candlewell.backup import archives
from candlewell.backup.books import differences
from candlewell.backup.catalogue import backups_in
from candlewell.backup.errors import BadBackup
from candlewell.backup.making import CONFIG
from candlewell.backup.restoring import unpack_checked
from candlewell.backup.standing import MAX_AGE_S
from candlewell.backup.whole import UNFINISHED, folder_to_ourselves, remove
from common.archive import Archive
from common.filesystem import require_local
from common.overview import partitions, strategies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from candlewell.backup.catalogue import Backup
    from candlewell.backup.manifest import Manifest
    from common.database import Database

_MARGIN = 1.2


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that went well."""

    backup: Backup
    version: str
    partitions: int
    candles: int
    strategies: int
    archived: int
    seconds: float

    def __str__(self) -> str:
        hours = self.backup.age_s / 3600
        return (
            f"{self.backup.path.name}, {hours:.1f} h old, can be restored: {self.candles} candles of "
            f"{self.partitions} partitions, the books of {self.strategies} strategies add up, "
            f"{self.archived} archived months; {self.version}; tried in {self.seconds:.1f} s"
        )


def drill(folder: Path, database: Path, *, max_age_s: float = MAX_AGE_S) -> Drill:
    """Tries the newest backup of that database.

    Args:
        folder: where the backups are.
        database: whose backups; it need not be there. The drill works in its folder.
        max_age_s: how old the newest backup may be.

    Raises:
        BadBackup: there is none, it is too old, or it does not work; the message says which and why.
        ConfigurationError: it is of a newer program, or the folder cannot be used.
        BackupFailed: a backup or a restore is running.
    """
    started = time.monotonic()
    found = backups_in(folder, database.stem)
    if not found:
        raise BadBackup(f"{folder}: expected a backup of {database.name}, found none")
    newest = found[-1]
    if newest.age_s > max_age_s:
        raise BadBackup(
            f"{newest.path.name}: expected one of the last {max_age_s / 3600:.0f} h, found it "
            f"{newest.age_s / 3600:.1f} h old: are backups still being made?"
        )
    require_local(database.parent)
    with folder_to_ourselves(folder), _scratch(database.parent) as scratch:
        return _tried(newest, folder, scratch / database.name, started)


def _tried(backup: Backup, folder: Path, copy: Path, started: float) -> Drill:
    manifest = backup.manifest
    if manifest is not None:
        _require_room(copy.parent, manifest)
        archives.require(manifest.archive, folder)
        for file in manifest.config:
            file.require(backup.path / CONFIG / file.path)
    unpack_checked(backup, copy)
    before, after = schema.upgrade(f"sqlite:///{copy}")
    database = schema.open_database(f"sqlite:///{copy}")
    try:
        if manifest is not None:
            _require_archived(database, manifest, backup)
        covered, run = partitions(database), strategies(database)
        wrong = [line for one in run for line in differences(database, one.strategy_id)]
        if wrong:
            raise BadBackup(f"{backup.path.name}: {'; '.join(wrong)}")
    finally:
        database.close()
    return Drill(
        backup,
        f"version {after}" if before == after else f"upgraded from version {before} to {after}",
        len(covered),
        sum(one.candles for one in covered),
        len(run),
        0 if manifest is None else len(manifest.archive),
        time.monotonic() - started,
    )


def _require_archived(database: Database, manifest: Manifest, backup: Backup) -> None:
    """Each month that the database says is archived belongs to the backup."""
    archive = Archive(database)
    there = {archive.folder / file.path for file in manifest.archive}
    missing = [path for one in archive.noted() if (path := archive.path(*one)) not in there]
    if missing:
        names = ", ".join(str(path.relative_to(archive.folder)) for path in missing)
        raise BadBackup(f"{backup.path.name}: expected the archived months {names}, found none")


def _require_room(folder: Path, manifest: Manifest) -> None:
    free, wanted = shutil.disk_usage(folder).free, int(manifest.unpacked_bytes * _MARGIN)
    if free < wanted:
        raise BadBackup(
            f"{folder}: expected room for the drill, {wanted / 1e6:.0f} MB, found {free / 1e6:.0f} MB"
        )


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder that is gone afterwards; of a killed drill, at the next."""
    path = folder / f".drill{UNFINISHED}"
    remove(path)
    path.mkdir()
    try:
        yield path
    finally:
        remove(path)
