"""How many round trips two programs have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.peers.task import Trip


@dataclass(frozen=True, slots=True)
class Shared:
    """Of the round trips of the first: those that the second entered in the same candle, and left in it too."""

    entries: int
    exits: int
    first_apart: int | None
    """The first entry candle that only one of them has."""


def shared(ours: tuple[Trip, ...], theirs: tuple[Trip, ...]) -> Shared:
    """What they share; each enters at most once in a candle."""
    left_at = dict(theirs)
    entered = [trip for trip in ours if trip.entry in left_at]
    apart = {trip.entry for trip in ours} ^ left_at.keys()
    return Shared(
        len(entered),
        sum(left_at[trip.entry] == trip.exit for trip in entered),
        min(apart, default=None),
    )
