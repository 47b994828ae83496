"""Heartbeats: a daemon says that its main loop has come around. The SQL of `heartbeats`.

A beat is written to the database for people, now and then, and to a file for the container's health
check, each time: the check only looks at the file's age (see `common.healthcheck`), so that a hundred
containers can ask every few seconds for nothing.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.clock import wall_now
from common.statements import upsert
from schema import heartbeats as table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database

BACKFILLER = "backfiller"
STOPPED = "stopped"  # the state of one that has ended as it should
ROW_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Beat:
    """What a daemon last said of itself. Times are this machine's, in milliseconds UTC."""

    daemon: str
    state: str
    detail: str
    started_at: int
    beat_at: int

    def age_s(self, now: int) -> float:
        """How long ago it was, in seconds."""
        return max(0, now - self.beat_at) / 1000


def last_beats(database: Database) -> list[Beat]:
    """The last beat of every daemon that ever ran, the backfiller's first."""
    query = sa.select(
        table.c.daemon, table.c.state, table.c.detail, table.c.started_at, table.c.beat_at
    ).order_by(table.c.daemon != BACKFILLER, table.c.daemon)
    with database.read() as connection:
        return [Beat(*row) for row in connection.execute(query)]


class Heartbeat:
    """The beats of one daemon: `backfiller`, or a trader under its strategy_id."""

    def __init__(
        self, database: Database, daemon: str, *, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._database = database
        self._daemon = daemon
        file = environment.get("HEARTBEAT_FILE")
        self._file = Path(file) if file else None
        self._started_at = wall_now()
        self._said = ("", "")
        self._row_due = 0.0

    def beat(self, state: str, detail: str = "") -> None:
        """Says that the daemon has just done its work; a new state is in the database at once."""
        if self._file is not None:
            self._file.touch()
        if (state, detail) == self._said and time.monotonic() < self._row_due:
            return
        row = {
            "daemon": self._daemon,
            "state": state,
            "detail": detail,
            "started_at": self._started_at,
            "beat_at": wall_now(),
        }
        with self._database.write() as connection:
            upsert(connection, table, row)
        self._said = (state, detail)
        self._row_due = time.monotonic() + ROW_EVERY_S
