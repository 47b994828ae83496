"""Puts a database in another one's place, so that whenever the process or the power goes, one of them is there, whole.

The old one keeps a second name beside (a hard link), and the new one takes over the first name in one step. Before that
the old one must not have a -wal file any more: SQLite would take it for the new one's. So its WAL is written into
it, by a connection that has the file alone and keeps everybody else out until the new one is in place.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from candlewell.backup.whole import flush
from common.engine import load_driver
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EMLINK}
_DAMAGED = ("malformed", "not a database", "disk image", "encrypted")


def replace(database: Path, new: Path, kept: Path) -> Path | None:
    """Puts `new` in the database's place.

    Args:
        database: the file that is replaced; there may be none.
        new: the file that takes its place, flushed and on the same file system.
        kept: the name that the old one keeps.

    Returns:
        Where the old one is; None if there was none.

    Raises:
        ConfigurationError: a process has the old one open, or it cannot be written.
    """
    if not database.exists():
        _move_beside(database, kept)
        _put(new, database)
        return None
    with _alone(database) as is_sound:
        _keep(database, kept)
        if not is_sound:
            _move_beside(database, kept)
        _put(new, database)
    return kept


def _put(new: Path, database: Path) -> None:
    new.replace(database)
    flush(database.parent)


@contextmanager
def _alone(database: Path) -> Iterator[bool]:
    """Nobody else has it open meanwhile, and it has no -wal file; False if it is too damaged for that."""
    driver = load_driver()
    with closing(driver.connect(database, timeout=0, isolation_level=None)) as connection:
        is_sound = True
        try:
            _take(driver, connection, database)
        except driver.DatabaseError as error:
            if any(word in str(error) for word in _DAMAGED):
                is_sound = False
            elif "locked" in str(error):
                raise ConfigurationError(
                    f"{database}: expected that nobody has it open, found a process that has: end it first"
                ) from None
            else:
                raise ConfigurationError(
                    f"{database}: expected a database that can be written, found: {error}"
                ) from None
        yield is_sound


def _take(driver: Any, connection: Any, database: Path) -> None:
    """Writes the WAL into the file, leaves WAL mode, and has the file alone from then on.

    A daemon that opens it goes back to WAL mode; so if this process is killed now, the old one is as it was.
    """
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA synchronous=FULL")
    mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    if mode != "delete":
        raise driver.OperationalError(f"database is locked: {database} stays in mode {mode}")
    connection.execute("BEGIN EXCLUSIVE")


def _keep(database: Path, kept: Path) -> None:
    """Gives it a second name; where a file system has no links, a copy."""
    try:
        os.link(database, kept)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(database, kept)
        flush(kept)
    flush(kept.parent)


def _move_beside(database: Path, kept: Path) -> None:
    """A damaged database keeps what its WAL has: the two belong together, and the new one must not have it."""
    for suffix in ("-wal", "-journal"):
        beside = database.with_name(f"{database.name}{suffix}")
        if beside.exists():
            beside.replace(kept.with_name(f"{kept.name}{suffix}"))
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    flush(database.parent)
