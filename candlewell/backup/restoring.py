"""Restores a backup: checked first, then the archive, then the database in one step.

Whatever is killed when, the data folder has either the database from before or the restored one, each whole. The
archive is only added to, which is right for both.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from candlewell.backup import archives, packing, replacing
from candlewell.backup.errors import BadBackup
from candlewell.backup.making import CONFIG
from candlewell.backup.noting import SOURCE
from candlewell.backup.owner import give_to_owner_of
from candlewell.backup.soundness import Contents, contents_of
from candlewell.backup.whole import (
    UNFINISHED,
    flush,
    folder_to_ourselves,
    make_folder,
    remove,
    remove_unfinished,
)
from common.archive import FOLDER as ARCHIVE
from common.controls import halt_live
from common.database import connect
from common.errors import ConfigurationError
from common.events import append
from common.filesystem import require_local
from common.instance import FOLDER as LOCKS
from common.instance import everyone_out
from schema import REVISION, is_known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from candlewell.backup.catalogue import Backup


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and where the database from before is; None: there was none."""

    backup: Backup
    rows: Mapping[str, int]
    version: str | None
    archived: int
    kept: Path | None
    config: Path | None
    halted: list[str]
    said: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = ", ".join(f"{table} {count}" for table, count in self.rows.items() if count)
        lines = [
            f"restored {self.backup.path.name}: {rows or 'no rows'}; {self.archived} archived months",
            *self.said,
        ]
        if self.kept is not None:
            lines.append(f"the database from before is {self.kept}")
        if self.halted:
            lines.append(
                f"halted: {', '.join(self.halted)}: the exchange may have traded since; compare, then `candlewell resume`"
            )
        if self.version != REVISION:
            lines.append(
                f"it is of version {self.version}: schema.py upgrades it at the next start"
            )
        if self.config is not None:
            lines.append(
                f"the configuration it was made with is in {self.config}; yours is as it was"
            )
        return "\n".join(lines)


def restore(backup: Backup, database: Path) -> Restored:
    """Puts a backup in the database's place.

    Raises:
        ConfigurationError: daemons run, or another process has the database open; the backup is of a newer program;
            the data folder cannot be used.
        BadBackup: the backup is not whole or not sound. Nothing was changed.
    """
    folder = database.parent
    is_new = not folder.exists()
    make_folder(folder)
    require_local(folder)
    if is_new:
        give_to_owner_of(backup.path, folder)
    with ExitStack() as held:
        held.enter_context(everyone_out(folder))
        held.enter_context(folder_to_ourselves(backup.path.parent))
        remove_unfinished(folder)
        work = folder / f".restoring{UNFINISHED}"
        work.mkdir()
        new = work / database.name
        try:
            contents = unpack_checked(backup, new)
            manifest = backup.manifest
            archive = manifest.archive if manifest is not None else ()
            archived, said = archives.bring_back(archive, backup.path.parent, folder / ARCHIVE)
            now = datetime.now(UTC)
            halted = _note(new, f"{backup.path.name} was restored", contents.version)
            flush(new)
            give_to_owner_of(folder, new, folder / ARCHIVE, folder / LOCKS)
            kept = database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%S.%fZ}")
            old = replacing.replace(database, new, kept)
            give_to_owner_of(folder, kept)
        finally:
            remove(work)
    config = backup.path / CONFIG if manifest is not None and manifest.config else None
    return Restored(backup, contents.rows, contents.version, archived, old, config, halted, said)


def unpack_checked(backup: Backup, target: Path) -> Contents:
    """Unpacks a backup's database to that path, and reads all of it.

    Raises:
        BadBackup: it is not whole, not sound, or has other rows than it had.
        ConfigurationError: it is of a version that this program does not know.
    """
    manifest = backup.manifest
    packed = backup.path if manifest is None else backup.path / manifest.database.path
    if manifest is not None:
        manifest.database.require(packed)
    packing.unpack(packed, target)
    contents = contents_of(target)
    if manifest is not None and dict(contents.rows) != dict(manifest.rows):
        raise BadBackup(
            f"{backup.path}: expected rows {dict(manifest.rows)}, found {dict(contents.rows)}"
        )
    if contents.version is None or not is_known(contents.version):
        raise ConfigurationError(
            f"{backup.path}: expected a database of version {REVISION} or older, found "
            f"{'one without a version' if contents.version is None else f'version {contents.version}'}: "
            "restore it with the Candlewell that made it"
        )
    return contents


def _note(database: Path, message: str, version: str | None) -> list[str]:
    """Says in the restored database, of any version, that it is one, and halts who trades live in it: returns those.

    What they have bought and sold since the backup is at the exchange and not in their books. A reconciliation finds
    what is missing there, and not what is there beside; so a person looks first.
    """
    opened = connect(f"sqlite:///{database}")
    try:
        with opened.write() as connection:
            halted = halt_live(connection, f"{message}: what was traded since is not in the books")
            append(
                connection,
                SOURCE,
                "warning",
                "database_restored",
                message,
                version=version,
                halted=halted,
            )
    finally:
        opened.close()
    return halted
