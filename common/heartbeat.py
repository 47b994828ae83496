"""Heartbeats: a daemon says what it has achieved, or what keeps it from that. The SQL of `heartbeats`.

It says so to the database for people, now and then, and to a small file for the container's health check
(`common.healthcheck`), so that a hundred containers can ask every few seconds for next to nothing. What is
wrong is judged here and in the daemon; the check only reads it, and sees whether it is too old to be true.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.clock import wall_now
from common.errors import TransientError
from common.statements import upsert
from schema import heartbeats as table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database

BACKFILLER = "backfiller"
STOPPED = "stopped"  # the state of one that has ended as it should
# Of the other states: what nobody need look at, what an exchange alone is to blame for, and what wants a person.
WELL = frozenset({"ok", "running", "starting", "waiting", STOPPED})
DEGRADED = frozenset({"backing_off", "banned", "late"})
UNHEALTHY = frozenset({"stuck", "failed", "disk_full"})
ROW_EVERY_S = 10.0
GOOD_FOR_S = 30.0  # a daemon that has not come around for so long hangs
_UNWRITTEN_S = 30.0  # a row is due three times in that
_FILE_EVERY_S = 0.5


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
        self._told: tuple[str, ...] = ()
        self._told_at = self._row_due = 0.0
        self._written_at = time.monotonic()
        self._failure = ""

    def beat(self, state: str, detail: str = "", *, problem: str = "", achieved: str = "") -> None:
        """Says how the daemon is doing; a new state is in the database at once.

        Args:
            state: one word.
            detail: what a person should know of it.
            problem: what makes the daemon unhealthy, in a sentence; empty where nothing does.
            achieved: what it has done of late, for the health check's output.

        Raises:
            TransientError: the row could not be written; the file says so when that lasts.
        """
        self._tell_check(state, detail, self._unwritten() or problem, achieved)
        if (state, detail) == self._said and time.monotonic() < self._row_due:
            return
        row = {
            "daemon": self._daemon,
            "state": state,
            "detail": detail,
            "started_at": self._started_at,
            "beat_at": wall_now(),
        }
        try:
            with self._database.write() as connection:
                upsert(connection, table, row)
        except TransientError as error:
            self._failure = str(error)
            raise
        self._said = (state, detail)
        self._failure = ""
        self._written_at = time.monotonic()
        self._row_due = self._written_at + ROW_EVERY_S

    def failed(self, why: str) -> None:
        """Says, without the database, that the main loop came around but could not do its work."""
        self._failure = why
        self._tell_check(self._said[0] or "starting", why, self._unwritten(), "")

    def _unwritten(self) -> str:
        """That nothing of this daemon's gets into the database any more; empty where it does."""
        since_s = time.monotonic() - self._written_at
        if not self._failure or since_s < _UNWRITTEN_S:
            return ""
        return f"nothing could be written to the database for {since_s:.0f} s: {self._failure}"

    def _tell_check(self, *words: str) -> None:
        now = time.monotonic()
        if self._file is None or (words == self._told and now < self._told_at + _FILE_EVERY_S):
            return
        state, detail, problem, achieved = words
        # By the machine's monotonic clock, which all its containers share: a clock that is set jumps.
        told = {
            "state": state,
            "detail": detail,
            "problem": problem,
            "achieved": achieved,
            "beat": now,
            "good_until": now + GOOD_FOR_S,
        }
        new = self._file.with_name(f"{self._file.name}.new")
        with contextlib.suppress(OSError):  # the check will find the old one, and that it is old
            new.write_text(json.dumps(told), encoding="utf-8")
            new.replace(self._file)
        self._told, self._told_at = words, now
