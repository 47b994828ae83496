"""Checks of the database's content: its version, and whether the file is whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

import schema
from candlewell.doctor.finding import Seen, ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlewell.doctor.setup import Setup

_UPGRADE = "docker-compose run --rm schema, or: python schema.py"
_SHOWN = 200  # characters of what SQLite says of a damaged file


def version(setup: Setup) -> Iterator[Seen]:
    """Whether the tables and views are those of this program."""
    found = schema.revision_of(setup.database)
    expected = f"a database of version {schema.REVISION}"
    if found is None:
        yield problem(expected, "a file without our tables", _UPGRADE)
    elif not schema.is_known(found):
        yield problem(
            expected,
            f"version {found}, which is newer",
            "use a newer Candlewell; the database stays as it is",
        )
    elif found != schema.REVISION:
        yield problem(expected, f"version {found}, which is older", _UPGRADE)
    elif not schema.has_todays_views(setup.database):
        yield warning("the views of this program", "other ones", _UPGRADE)
    else:
        yield ok(f"version {found}")


def integrity(setup: Setup) -> Iterator[Seen]:
    """Whether the file is sound: its pages always, with --deep each index entry and reference too."""
    check = "integrity_check" if setup.is_deep else "quick_check"
    began = time.monotonic()
    with setup.database.read() as connection:
        told = [str(row[0]) for row in connection.execute(sa.text(f"PRAGMA {check}(3)"))]
        orphans = (
            connection.execute(sa.text("PRAGMA foreign_key_check")).all() if setup.is_deep else []
        )
    if told != ["ok"]:
        yield problem(
            f"{check}: ok",
            " ".join("; ".join(told).split())[:_SHOWN],
            "stop the suite and restore the newest backup",
        )
    for table in sorted({str(row[0]) for row in orphans}):
        yield problem(
            "each row with the one that it belongs to",
            f"rows of {table} without theirs",
            "stop the suite and restore the newest backup",
        )
    if told == ["ok"] and not orphans:
        yield ok(f"{check} took {time.monotonic() - began:.1f} s")
