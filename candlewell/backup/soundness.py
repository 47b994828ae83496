"""Reads the whole of a database file that nobody else has: is it sound, and what is in it?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from candlewell.backup.errors import BadBackup
from common.engine import load_driver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class Contents:
    """The number of rows of each table, and the version of the schema; None: it has none."""

    rows: Mapping[str, int]
    version: str | None


def contents_of(path: Path) -> Contents:
    """What is in that file.

    Raises:
        BadBackup: it is not a sound database: its pages, its foreign keys, or no table at all.
    """
    driver = load_driver()
    try:
        # Immutable: nobody else has it, and no -wal or -shm file is to appear beside it.
        with closing(driver.connect(f"{path.as_uri()}?immutable=1", uri=True)) as copy:
            _require_sound(copy, path.name)
            rows = rows_of(copy)
            if not rows:
                raise BadBackup(f"tables of {path.name}: expected some, found an empty database")
            return Contents(rows, _version_of(copy, rows))
    except driver.Error as error:
        raise BadBackup(f"{path.name}: expected a sound database, found: {error}") from None


def rows_of(connection: Any) -> dict[str, int]:
    """How many rows each table has, by a connection of the bare driver."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables
    }


def _require_sound(copy: Any, name: str) -> None:
    integrity = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if integrity != "ok":
        found = " ".join(integrity.split())
        raise BadBackup(f"integrity_check of {name}: expected ok, found: {found}")
    orphan = copy.execute("PRAGMA foreign_key_check").fetchone()
    if orphan is not None:
        raise BadBackup(
            f"foreign_key_check of {name}: expected nothing, found a row of {orphan[0]} "
            f"without its row of {orphan[2]}"
        )


def _version_of(copy: Any, rows: Mapping[str, int]) -> str | None:
    if "alembic_version" not in rows:
        return None
    row = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])
