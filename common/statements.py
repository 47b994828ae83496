"""The statements for which SQLite and PostgreSQL each have an INSERT of their own: chosen here only."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    row: Mapping[str, Any],
    *,
    keep: tuple[str, ...] = (),
) -> None:
    """Inserts a row, or brings the one with its primary key up to date, but for the columns `keep`.

    Columns that `row` does not name stay as they are, and rows that refer to this one stay too:
    INSERT OR REPLACE would lose both.
    """
    statement = _insert(connection, table).values(dict(row))
    key = [column.name for column in table.primary_key.columns]
    changed = {name: statement.excluded[name] for name in row if name not in (*key, *keep)}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def insert_new(connection: sa.Connection, table: sa.Table) -> sa.Insert:
    """An INSERT that passes over rows whose primary key is taken, and over nothing else.

    INSERT OR IGNORE would also swallow a row that breaks NOT NULL or a CHECK.
    """
    statement = _insert(connection, table)
    key = list(table.primary_key.columns)
    insert: sa.Insert = statement.on_conflict_do_nothing(index_elements=key)
    return insert


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own INSERT; only the dialect in use is loaded."""
    dialect = importlib.import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    return dialect.insert(table)
