"""At which candles of a history a strategy is tried: at each of a short one, at chosen ones of a long one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL_CUTS, SOME_CUTS = 1000, 200
ALL_WINDOWS, SOME_WINDOWS, CHANGES = 2500, 1000, 1500


def spread(count: int, many: int) -> list[int]:
    """At most so many of `count` places, evenly, the first and the last among them."""
    if count <= many:
        return list(range(count))
    return [int(place) for place in np.unique(np.linspace(0, count - 1, many).round())]


def cuts(count: int) -> list[int]:
    """Where to truncate. Each costs an evaluation of all that is before it."""
    return spread(count, count if count <= ALL_CUTS else SOME_CUTS)


def window_ends(signals: NDArray[Any]) -> list[int]:
    """Where windows end: evenly, and where the signal changes."""
    if len(signals) <= ALL_WINDOWS:
        return list(range(len(signals)))
    changes = np.flatnonzero(signals[1:] != signals[:-1]) + 1
    chosen = {int(changes[place]) for place in spread(len(changes), CHANGES)}
    return sorted(chosen | set(spread(len(signals), SOME_WINDOWS)))
