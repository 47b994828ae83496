"""Checks of the SQLite engines: ours, which writes, and the shell of this machine, which may only read."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from candlewell.doctor.finding import Seen, note, ok, problem
from common.engine import has_wal_reset_bug, load_driver
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlewell.doctor.setup import Setup

_WITHIN_S = 5.0


def engine(_: Setup) -> Iterator[Seen]:
    """Whether this installation has an engine that may write a WAL file beside others."""
    try:
        driver = load_driver()
    except ConfigurationError as error:
        told, advice = str(error).split("; ", 1)
        wanted, found = told.split(", found ", 1)
        yield problem(wanted.removeprefix("SQLite: expected "), found, advice)
        return
    name = driver.__name__.partition(".")[0]
    yield ok(f"SQLite {driver.sqlite_version} of {name}")


def shell(_: Setup) -> Iterator[Seen]:
    """Whether the sqlite3 shell, if there is one, could do harm by writing."""
    program = shutil.which("sqlite3")
    if program is None:
        yield ok("no sqlite3 shell here")
        return
    told = subprocess.run(  # noqa: S603 - the shell that the PATH names, asked for its version
        [program, "--version"], capture_output=True, text=True, timeout=_WITHIN_S, check=False
    ).stdout
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", told)
    if match is None:
        yield note(f"{program} does not tell its version")
    elif has_wal_reset_bug((int(match[1]), int(match[2]), int(match[3]))):
        yield note(
            f"the sqlite3 shell is of version {match[0]}, which can corrupt a database that others write",
            "always: sqlite3 -readonly",
        )
    else:
        yield ok(f"the sqlite3 shell is of version {match[0]}")
