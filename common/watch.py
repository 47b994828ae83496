"""Notices that the shared database has changed, or something in it that one looks at while others commit all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.database import patiently
from common.database_failures import told_apart

if TYPE_CHECKING:
    import sqlalchemy as sa

    from common.database import Database


class Watch:
    """The first rows of some small queries, asked for again whenever another connection has committed.

    Without queries it tells of commits alone. It has a connection of its own and asks the driver itself: a look takes
    10 microseconds, and 10 more for each query if there was a commit, where a transaction of the engine takes some
    hundreds. The rows are not of one snapshot: they only tell whether to read.
    """

    def __init__(self, database: Database, *queries: sa.Select[Any]) -> None:
        self._database = database
        self._connection = database.engine.raw_connection()
        self._busy = database.engine.dialect.loaded_dbapi.OperationalError
        compiled = [query.compile(dialect=database.engine.dialect) for query in queries]
        self._statements = [
            (str(one), [one.params[name] for name in one.positiontup or ()]) for one in compiled
        ]
        self._rows: tuple[Any, ...] = ()
        self._rows_are_of: int | None = None

    def commits(self) -> int:
        """A number that differs from the last one if another connection has committed since.

        Raises:
            DatabaseLocked: the database was locked for 10 seconds.
            DatabaseUnusable: the file cannot be read any more, or is not at its path.
        """
        (number,) = self._ask("PRAGMA data_version", [])
        self._database.require_files()
        return int(number)

    def look(self) -> tuple[int, tuple[Any, ...]]:
        """The number of `commits`, and the rows as they are now. Raises what that raises."""
        commits = self.commits()
        if commits != self._rows_are_of:
            self._rows = tuple(self._ask(*one) for one in self._statements)
            self._rows_are_of = commits
        return commits, self._rows

    def close(self) -> None:
        """Gives the connection back."""
        self._connection.close()

    def _ask(self, statement: str, values: list[Any]) -> Any:
        found: list[Any] = []
        cursor = self._connection.cursor()

        def ask() -> None:
            found.append(cursor.execute(statement, values).fetchone())

        try:
            with told_apart(self._database.engine, self._database.path):
                patiently(self._busy, ask)
        finally:
            cursor.close()
        return found[-1]
