"""The table of one number of candles, in Markdown; ratios are to its first row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peers.comparison import Shared
    from benchmarks.peers.task import Outcome

_COLUMNS = (
    "", "wall", "at best", "processor", "peak memory", "round trips", "net profit", "same entry", "and exit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A program's figures: seconds, MB, and what it has in common with the first."""

    name: str
    wall_s: float
    best_s: float
    processor_s: float
    peak_mb: float
    first_s: float
    outcome: Outcome
    shared: Shared


def as_table(rows: Sequence[Row]) -> str:
    """The table, with a line for each program whose first run or second simulation tells something."""
    first = rows[0]
    lines = [
        _line(_COLUMNS),
        _line(["---"] * len(_COLUMNS)),
        *(_line(_cells(r, first)) for r in rows),
    ]
    return "\n".join([*lines, "", *(note for row in rows for note in _notes(row, first))])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row, first: Row) -> list[str]:
    trips = row.outcome.trips
    still_open = sum(trip.exit is None for trip in trips)
    return [
        row.name,
        f"{row.wall_s:.2f} s ({row.wall_s / first.wall_s:.1f} x)",
        f"{row.best_s:.2f} s",
        f"{row.processor_s:.2f} s",
        f"{row.peak_mb:.0f} MB ({row.peak_mb / first.peak_mb:.1f} x)",
        f"{len(trips) - still_open:,}" + (f" + {still_open} open" if still_open else ""),
        f"{row.outcome.net_profit:,.2f}",
        f"{row.shared.entries:,}",
        f"{row.shared.exits:,}",
    ]


def _notes(row: Row, first: Row) -> list[str]:
    notes = [f"{row.name}: first run {row.first_s:.1f} s, with its trades written"]
    if row.outcome.again_s is not None:
        notes.append(f"{row.name}: a second simulation in one process {row.outcome.again_s:.2f} s")
    if row.shared.first_apart is not None:
        when = datetime.fromtimestamp(row.shared.first_apart / 1000, UTC)
        notes.append(
            f"{row.name}: first entry not in common with {first.name} at {when:%Y-%m-%d %H:%M}"
        )
    return notes
