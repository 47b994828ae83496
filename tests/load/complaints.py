"""What counts as an error of a fleet that nothing was done to.

- an event of level warning or error;
- a line in a daemon's log of level warning or error, or that is no line of its log at all: a traceback, a library's warning;
- a daemon that ended by itself, or with another status than 0 when it was asked to.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.database import Database
    from tests.accelerated.truth import Verdict

_FINE = {"debug", "info"}


def judge_events(verdict: Verdict, database: Database) -> None:
    """Blames what the event log has of warnings and errors."""
    table = schema.events
    query = sa.select(table.c.source, table.c.level, table.c.kind, table.c.message)
    with database.read() as connection:
        for source, level, kind, message in connection.execute(query):
            if level in _FINE:
                verdict.counts["events"] += 1
            else:
                verdict.blame(f"{level} among the events", f"{source} {kind}: {message}")


def judge_logs(verdict: Verdict, lines: Iterable[tuple[str, str]]) -> None:
    """Blames what the logs have of warnings, errors and other things."""
    for daemon, line in lines:
        level = level_of(line)
        if level in _FINE:
            verdict.counts["log lines"] += 1
        else:
            verdict.blame(f"{level} in a log", f"{daemon}: {line[:300]}")


def level_of(line: str) -> str:
    """The level of a line of a log in JSON; "no line of ours" for others."""
    try:
        return str(json.loads(line)["level"])
    except (ValueError, KeyError, TypeError):
        return "no line of ours"
