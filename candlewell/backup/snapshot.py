"""A copy of a database of one moment, made while others write to it.

SQLite's backup API copies the file in one step: a copy in several steps starts again at every commit of somebody
else, and never ends while traders trade. The rows are counted in the same read transaction that the copy is
made in, so they are to be equal and not about equal. No writer waits for a reader; the WAL grows meanwhile.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from candlewell.backup.errors import BackupFailed, BadBackup
from candlewell.backup.soundness import Contents, contents_of, rows_of
from common.database import DatabaseLocked, patiently
from common.engine import load_driver

if TYPE_CHECKING:
    from pathlib import Path


def take(database: Path, copy: Path, *, deadline_s: float) -> Contents:
    """Makes a checked copy, and says what is in it.

    Raises:
        BackupFailed: it could not be made, is not sound, or lacks rows.
    """
    driver = load_driver()
    try:
        with closing(driver.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=0)) as source:
            source.isolation_level = None
            _begin(driver, source, database, deadline_s)
            rows = rows_of(source)
            with closing(driver.connect(copy)) as target:
                # Until it has its name the copy is nobody's: it needs no journal, and is flushed at the end.
                target.execute("PRAGMA journal_mode=OFF")
                target.execute("PRAGMA synchronous=OFF")
                source.backup(target, pages=-1)
            source.execute("ROLLBACK")
        found = contents_of(copy)
    except driver.Error as error:
        raise BackupFailed(f"{database}: expected to be copied, found: {error}") from None
    except BadBackup as error:
        raise BackupFailed(f"the copy of {database}: {error}") from None
    if found.rows != rows:
        tables = sorted(set(dict(found.rows).items()) ^ set(rows.items()))
        raise BackupFailed(
            f"rows of the copy of {database}: expected {rows}, found other: {tables}"
        )
    return found


def _begin(driver: Any, source: Any, database: Path, deadline_s: float) -> None:
    """Begins a read transaction; while the database is locked it is tried again, up to the deadline."""
    source.execute("BEGIN")
    first = "SELECT 1 FROM sqlite_schema"
    try:
        patiently(
            driver.OperationalError,
            lambda: source.execute(first).fetchone(),
            deadline_s=deadline_s,
        )
    except DatabaseLocked:
        raise BackupFailed(
            f"{database}: expected to be let in within {deadline_s:.0f} s, found it locked"
        ) from None
