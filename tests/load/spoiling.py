"""Spoils a database on purpose, so that a verdict has something to notice."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.database import Database


def spoil(database: Database, statement: str) -> None:
    """Carries out a statement without regard to foreign keys, which are a switch outside transactions alone."""
    with (
        closing(database.engine.raw_connection()) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute(statement)
        assert cursor.rowcount > 0, f"nothing was spoiled by {statement}"
