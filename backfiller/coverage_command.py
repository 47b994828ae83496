"""`python -m backfiller coverage`: what is there of each partition, what is missing and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backfiller.coverage import as_columns, coverage
from backfiller.files.telling import tell
from backfiller.selecting import add_arguments, aligned, opened, selection
from common.times import iso, parse_time, utc

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from backfiller.coverage import Coverage

__all__ = ["ABOUT", "add_arguments", "run"]

ABOUT = "What is there of each partition, what is missing and why."
_HEADER = ("partition", "candles", "first, UTC", "last, UTC", "missing", "explained")
_NUMBERS = frozenset({1, 4, 5})
_WORDS = {
    "found": "asked for again",
    "fetching": "being asked for",
    "confirmed_empty": "confirmed empty",
    "out_of_reach": "out of the exchange's reach",
    "filled": "filled since",
}


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Prints it; returns 0.

    Raises:
        ConfigurationError: the database or the selection cannot serve.
    """
    database = opened(environment)
    try:
        found = coverage(database, selection(arguments, database))
    finally:
        database.close()
    if arguments.json:
        tell(json.dumps([_as_json(own) for own in found], indent=2))
    elif not found:
        tell("no partition has a candle yet")
    else:
        tell("\n".join(_lines(found)))
    return 0


def _lines(found: list[Coverage]) -> list[str]:
    """A table of all partitions, and what else there is to say of one below its line."""
    header, *rows = aligned(_HEADER, [_cells(own) for own in found], _NUMBERS)
    lines = [header]
    for row, own in zip(rows, found, strict=True):
        lines += [row, *(f"    {remark}" for remark in _remarks(own))]
    return lines


def _cells(own: Coverage) -> tuple[str, ...]:
    stored, name = own.stored, " ".join(own.key)
    if stored is None:
        return (name, "0", "", "", "", "")
    counts = f"{stored.missing:,}", f"{stored.explained:,}"
    return (name, f"{stored.candles:,}", stored.first[:16], stored.last[:16], *counts)


def _remarks(own: Coverage) -> list[str]:
    """What else there is to say, a line for each sort."""
    holes = []
    for state, words in _WORDS.items():
        if own_holes := own.holes.get(state):
            when = own_holes.ask_again_at if state == "found" else None
            next_time = f" (next at {utc(when)})" if when else ""
            holes.append(f"{own_holes.candles:,} {words}{next_time}")
    remarks = ["; ".join(holes)] if holes else []
    if own.archived is not None:
        span = f"{utc(own.archived.first)} to {utc(own.archived.last)}"
        months = "month" if own.archived.months == 1 else "months"
        remarks.append(
            f"archived: {own.archived.candles:,} in {own.archived.months} {months}, {span}"
        )
    if own.built_from:
        remarks.append(f"built from {own.built_from}")
    if own.reach is not None:
        remarks.append(f"the exchange gives none from before {utc(own.reach)}")
    return [*remarks, own.note] if own.note else remarks


def _as_json(own: Coverage) -> dict[str, Any]:
    stored, archived = own.stored, own.archived
    return {
        **as_columns(own.key),
        "candles": stored.candles if stored else 0,
        "first": iso(parse_time(stored.first)) if stored else None,
        "last": iso(parse_time(stored.last)) if stored else None,
        "missing": stored.missing if stored else 0,
        "explained": stored.explained if stored else 0,
        "unexplained": stored.unexplained if stored else 0,
        "gaps": {
            state: {
                "gaps": holes.gaps,
                "candles": holes.candles,
                "ask_again_at": None if holes.ask_again_at is None else iso(holes.ask_again_at),
            }
            for state, holes in sorted(own.holes.items())
        },
        "archived": None
        if archived is None
        else {
            "months": archived.months,
            "candles": archived.candles,
            "first": iso(archived.first),
            "last": iso(archived.last),
        },
        "built_from": own.built_from,
        "reach": None if own.reach is None else iso(own.reach),
        "note": own.note,
    }
