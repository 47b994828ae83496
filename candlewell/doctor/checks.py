"""The list of checks, and how they are gone through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

import schema
from candlewell.doctor.backups import backups
from candlewell.doctor.clock import clock
from candlewell.doctor.content import integrity, version
from candlewell.doctor.engine import engine, shell
from candlewell.doctor.env_file import env_file
from candlewell.doctor.finding import Finding, Seen, note, problem
from candlewell.doctor.fleet import daemons, gaps, halts
from candlewell.doctor.keys import secret_files, withdrawals
from candlewell.doctor.place import file_system, memory, owners, room, wal
from common.errors import CandlewellError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from candlewell.doctor.setup import Setup


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. `needs` is what has to be there for it: nothing, a file, or today's tables."""

    name: str
    look: Callable[[Setup], Iterable[Seen]]
    needs: str = "nothing"


CHECKS = (
    Check("engine", engine),
    Check("shell", shell),
    Check("file system", file_system),
    Check("owners", owners),
    Check("room", room),
    Check("memory", memory),
    Check("version", version, "file"),
    Check("integrity", integrity, "file"),
    Check("wal", wal, "file"),
    Check("clock", clock, "tables"),
    Check("daemons", daemons, "tables"),
    Check("halts", halts, "tables"),
    Check("gaps", gaps, "tables"),
    Check("backups", backups, "tables"),
    Check("withdrawals", withdrawals, "tables"),
    Check("secrets", secret_files),
    Check(".env", env_file),
)


def examine(setup: Setup) -> list[Finding]:
    """All that the checks find, in their order. What cannot be looked at is a finding too."""
    there = _what_is_there(setup)
    return [
        Finding(check.name, seen.level, seen.expected, seen.found, seen.advice)
        for check in CHECKS
        for seen in (_looked if check.needs in there else partial(_not_looked, there))(check, setup)
    ]


def _what_is_there(setup: Setup) -> set[str]:
    if not setup.path.is_file():
        return {"nothing"}
    try:
        is_todays = schema.revision_of(setup.database) == schema.REVISION
    except (CandlewellError, sa.exc.DBAPIError):
        is_todays = False
    return {"nothing", "file", "tables"} if is_todays else {"nothing", "file"}


def _looked(check: Check, setup: Setup) -> list[Seen]:
    try:
        return list(check.look(setup))
    except (CandlewellError, sa.exc.DBAPIError, OSError) as error:
        told = str(getattr(error, "orig", None) or error)
        advice = "mend that first, then look again"
        return [problem("that it can be looked at", " ".join(told.split()), advice)]


def _not_looked(there: set[str], check: Check, setup: Setup) -> list[Seen]:
    if "file" in there:
        return [note("not looked at: the database is not of this version")]
    if check.name != "version":
        return [note("not looked at: there is no database")]
    return [
        problem(
            "a database",
            f"no file {setup.path}",
            "set DATABASE_URL, or make one: docker-compose up -d, or python schema.py",
        )
    ]
