"""The event log: what happened that a person may ask about later. The SQL of `events`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.clock import wall_now
from schema import events

if TYPE_CHECKING:
    from common.database import Database


class EventLog:
    """The events of one source: the backfiller, or a trader under its strategy_id."""

    def __init__(self, database: Database, source: str) -> None:
        import structlog  # noqa: PLC0415 - who only reads what was recorded logs nothing

        self._database = database
        self._source = source
        self._log = structlog.get_logger()

    def record(self, level: str, kind: str, message: str, **detail: Any) -> None:
        """Writes an event to the database and to the daemon's log.

        Args:
            level: info, warning or error.
            kind: one word for its sort, such as `candle_rejected`.
            message: one sentence for a person.
            **detail: its fields; never a secret.
        """
        getattr(self._log, level)(kind, message=message, **detail)
        self.keep(level, kind, message, **detail)

    def has(self, kind: str, message: str) -> bool:
        """Whether that was recorded before, by this source, in this run or an earlier one."""
        query = (
            sa.select(events.c.event_id)
            .where(
                events.c.source == self._source,
                events.c.kind == kind,
                events.c.message == message,
            )
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar() is not None

    def keep(self, level: str, kind: str, message: str, **detail: Any) -> None:
        """Writes an event to the database alone: for a command, which tells its user itself."""
        with self._database.write() as connection:
            append(connection, self._source, level, kind, message, **detail)


def append(
    connection: sa.Connection, source: str, level: str, kind: str, message: str, **detail: Any
) -> None:
    """Writes an event in the caller's transaction."""
    row = {
        "timestamp": wall_now(),
        "source": source,
        "level": level,
        "kind": kind,
        "message": message,
        "detail": json.dumps(detail, sort_keys=True, default=str),
    }
    connection.execute(sa.insert(events), row)


def recorded(connection: sa.Connection, source: str, kind: str) -> list[tuple[int, dict[str, Any]]]:
    """The events of that kind by a source, oldest first: by this machine's clock when, and the fields."""
    query = (
        sa.select(events.c.timestamp, events.c.detail)
        .where(events.c.source == source, events.c.kind == kind)
        .order_by(events.c.event_id)
    )
    return [(timestamp, json.loads(detail)) for timestamp, detail in connection.execute(query)]


_LEVELS = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events somebody wants to see; None: all. `since` is by this machine's clock."""

    source: str | None = None
    least_level: str = "info"
    kind: str | None = None
    since: int | None = None


def newest(database: Database, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
    """The newest of those events, the newest first, with the names of the table's columns."""
    levels = _LEVELS[_LEVELS.index(wanted.least_level) :]
    query = (
        sa.select(*(column for column in events.c))
        .where(events.c.level.in_(levels))
        .order_by(events.c.event_id.desc())
        .limit(limit)
    )
    if wanted.source is not None:
        query = query.where(events.c.source == wanted.source)
    if wanted.kind is not None:
        query = query.where(events.c.kind == wanted.kind)
    if wanted.since is not None:
        query = query.where(events.c.timestamp >= wanted.since)
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
    return [{**row, "detail": json.loads(row["detail"])} for row in rows]
