"""Compares the positions as they were written with what the trades come to."""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from trader.audit.difference import NOTHING, Difference, Kind, words
from trader.core.position import Position
from trader.ledger.rows import position_row
from trader.ledger.written import PositionRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

P = TypeVar("P", PositionRow, Position)


def compare_positions(
    rows: Sequence[PositionRow], positions: Sequence[Position]
) -> Iterator[Difference]:
    """The positions that are not what the trades come to, column by column."""
    written, replayed = by_opening(rows), by_opening(positions)
    for opened_at in sorted(written.keys() | replayed.keys()):
        pairs = zip_longest(written.get(opened_at, []), replayed.get(opened_at, []))
        for row, position in pairs:
            if row is None or position is None:
                found = (NOTHING, "a position") if row is None else ("a position", NOTHING)
                yield Difference(Kind.POSITION, opened_at, "row", *found)
                continue
            for name, value in position_row(position).items():
                there = getattr(row, name)
                if there != value:
                    yield Difference(Kind.POSITION, opened_at, name, words(there), words(value))


def by_opening(positions: Sequence[P]) -> dict[int, list[P]]:
    """Positions by when they were opened: in one millisecond there may be two."""
    found: dict[int, list[P]] = defaultdict(list)
    for position in positions:
        found[position.opened_at].append(position)
    return found
