"""Gives freed pages of the database file back to the disk, a few at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backfiller.files.pace import Pace

if TYPE_CHECKING:
    from common.database import Database

_INCREMENTAL = 2


def give_back(database: Database, *, keep_pages: int = 0) -> int:
    """Shortens the file by its free pages; returns how many pages it lost.

    Does nothing for a file that was not made with auto_vacuum=INCREMENTAL: there the pages stay and are
    used again. This is SQLite's own business: PostgreSQL does it by itself.
    """
    if database.engine.dialect.name != "sqlite" or _pragma(database, "auto_vacuum") != _INCREMENTAL:
        return 0
    pace = Pace(database, size=64, least=8, most=512)
    given = 0
    free = _pragma(database, "freelist_count")
    while free > keep_pages:
        step = min(pace.size, free - keep_pages)
        with pace.write(step) as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            # It frees a page for each row that is fetched, and SQLAlchemy sees no columns to fetch.
            driver.execute(f"PRAGMA incremental_vacuum({step})").fetchall()
        left = _pragma(database, "freelist_count")
        if left >= free:
            break  # somebody else frees as fast, or nothing more can be given
        given += free - left
        free = left
    return given


def _pragma(database: Database, name: str) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
