"""Makes a backup, and removes those that the scheme does not keep.

Order matters. The database is copied before the archive: a month is archived before it leaves the database, so an
archive that is a moment younger has all that the database does not have any more. All is made in a folder
that has no backup's name, flushed, and then renamed; a killed backup leaves that folder, and the next removes it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlewell.backup import archives, packing, snapshot
from candlewell.backup.catalogue import Backup, backups_in, new_name
from candlewell.backup.errors import BackupFailed, BadBackup
from candlewell.backup.manifest import File, Manifest
from candlewell.backup.owner import give_to_owner_of
from candlewell.backup.whole import (
    UNFINISHED,
    copy_whole,
    digest,
    flush,
    flush_tree,
    folder_to_ourselves,
    make_folder,
    remove,
    remove_unfinished,
    remove_whole,
)
from common.archive import FOLDER as ARCHIVE
from common.errors import ConfigurationError
from common.filesystem import require_local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from candlewell.backup.scheme import Scheme
    from candlewell.backup.soundness import Contents

DEADLINE_S = 120.0
CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, how long it took in all, and what of it is the packed database, in bytes."""

    backup: Backup
    manifest: Manifest
    seconds: float

    def __str__(self) -> str:
        rows = ", ".join(f"{table} {count}" for table, count in self.manifest.rows.items() if count)
        packed = self.manifest.database.size / 1e6
        archive = f", {len(self.manifest.archive)} archived months" if self.manifest.archive else ""
        return f"{self.backup.path}: {packed:.1f} MB in {self.seconds:.1f} s{archive}; rows: {rows or 'none'}"


def make_backup(
    database: Path, folder: Path, *, config: Path | None = None, deadline_s: float = DEADLINE_S
) -> Made:
    """Makes a new, checked backup of that database and its archive in that folder.

    Args:
        database: the file; its archive lies beside it.
        folder: where the backups are.
        config: a folder of configuration files to keep with it; what begins with a dot is left out.
        deadline_s: how long a locked database is waited for.

    Raises:
        ConfigurationError: there is no database, or the folder cannot be used.
        BackupFailed: no backup was made.
    """
    started = time.monotonic()
    if not database.is_file():
        raise ConfigurationError(f"--database: expected a database file, found none at {database}")
    require_local(database.parent)
    make_folder(folder)
    with folder_to_ourselves(folder):
        remove_unfinished(folder)
        name, made = new_name(folder, database.stem)
        work = folder / f".{name}{UNFINISHED}"
        try:
            work.mkdir()
            manifest = _fill(work, database, made, config, deadline_s)
            flush_tree(work)
            give_to_owner_of(folder, work, folder / ARCHIVE)
            path = work.rename(folder / name)
            flush(folder)
        except OSError as error:
            raise BackupFailed(
                f"{error.filename or folder}: expected a backup, found: {error.strerror}"
            ) from None
        finally:
            remove(work)
    return Made(Backup(made, path), manifest, time.monotonic() - started)


def prune(folder: Path, stem: str, scheme: Scheme, newest: Backup) -> list[Backup]:
    """Removes what the scheme does not keep, and archived months that no backup needs; returns the backups.

    Args:
        folder: where the backups are.
        stem: the database's name; backups of others stay.
        scheme: what stays.
        newest: the one that was made just now. It stays, even if this machine's clock was set back.

    Raises:
        BackupFailed: a backup's manifest cannot be read, so what it needs is not known: archived months all stay.
    """
    with folder_to_ourselves(folder):
        ours = backups_in(folder, stem)
        kept = scheme.kept([backup.made for backup in ours])
        old = [one for one in ours if one.made not in kept and one != newest]
        for backup in old:
            remove_whole(backup.path)
        try:
            needed = {
                file
                for backup in backups_in(folder)
                if (manifest := backup.manifest) is not None
                for file in manifest.archive
            }
        except BadBackup as error:
            raise BackupFailed(f"{error}; archived months that may not be needed stay") from None
        archives.prune(folder, needed)
    return old


def _fill(
    work: Path, database: Path, made: datetime, config: Path | None, deadline_s: float
) -> Manifest:
    plain = work / database.name
    contents: Contents = snapshot.take(database, plain, deadline_s=deadline_s)
    unpacked_bytes = plain.stat().st_size
    packed = work / f"{database.stem}.db{packing.SUFFIX}"
    packing.pack(plain, packed)
    plain.unlink()
    manifest = Manifest(
        made_at=int(made.timestamp() * 1000),
        version=contents.version,
        rows=contents.rows,
        unpacked_bytes=unpacked_bytes,
        database=File.of(packed.name, digest(packed)),
        archive=archives.store(database.parent / ARCHIVE, work.parent),
        config=tuple(_copied(config, work / CONFIG)) if config is not None else (),
    )
    manifest.write(work)
    return manifest


def _copied(config: Path, target: Path) -> Iterator[File]:
    """The files of the configuration, without what is hidden, a link, or made by Python."""
    for path in sorted(config.rglob("*")):
        inside = path.relative_to(config)
        if any(part.startswith((".", "__pycache__")) for part in inside.parts):
            continue
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as opened:
                copy_whole(opened, target / inside)
            yield File.of(inside.as_posix(), digest(target / inside))
