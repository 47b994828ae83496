"""Heartbeats: a daemon says that its main loop has come around. The SQL of `heartbeats`.

A beat is written to the database for people, now and then, and to a file for the container's health
check, each time: the check only looks at the file's age (see `common.healthcheck`), so that a hundred
containers can ask every few seconds for nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from common.clock import wall_now
from common.statements import upsert
from schema import heartbeats as table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database

_ROW_EVERY_S = 10.0


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
        self._row_due = time.monotonic() + _ROW_EVERY_S
