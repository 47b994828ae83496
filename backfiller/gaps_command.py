"""`python -m backfiller gaps`: the gap ledger, a line for each hole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backfiller import selecting
from backfiller.coverage import as_columns, gap_rows
from backfiller.files.telling import tell
from backfiller.ledger import GapState
from backfiller.selecting import aligned, opened, selection
from common.times import iso, utc

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from backfiller.coverage import GapRow

ABOUT = "The holes of each partition: since when they are known, and what is done about them."
_HEADER = (
    "partition",
    "first missing, UTC",
    "last missing, UTC",
    "candles",
    "state",
    "asked",
    "again at, UTC",
)
_NUMBERS = frozenset({3, 5})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    selecting.add_arguments(parser)
    states = [state.value for state in GapState]
    parser.add_argument("--state", choices=states, help="only those in this state")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Prints them; returns 0.

    Raises:
        ConfigurationError: the database or the selection cannot serve.
    """
    database = opened(environment)
    try:
        rows = gap_rows(database, selection(arguments, database), arguments.state)
    finally:
        database.close()
    if arguments.json:
        tell(json.dumps([_as_json(row) for row in rows], indent=2))
    elif not rows:
        tell("no gaps")
    else:
        tell("\n".join(aligned(_HEADER, [_cells(row) for row in rows], _NUMBERS)))
    return 0


def _cells(row: GapRow) -> tuple[str, ...]:
    return (
        " ".join(row.key),
        utc(row.start),
        utc(row.end),
        f"{row.candles:,}",
        row.state,
        str(row.asked),
        "" if row.ask_again_at is None else utc(row.ask_again_at),
    )


def _as_json(row: GapRow) -> dict[str, Any]:
    return {
        **as_columns(row.key),
        "first": iso(row.start),
        "last": iso(row.end),
        "candles": row.candles,
        "state": row.state,
        "found_at": iso(row.found_at),
        "asked": row.asked,
        "ask_again_at": None if row.ask_again_at is None else iso(row.ask_again_at),
    }
