"""Which of very many values are drawn: so few that a browser is quick, and all of those that stand out.

No screen has as many columns as there are candles in five years of 5m. Averages would hide the spike that a stop
acted on, so the lowest and the highest value of each group of candles are what is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

GROUPS = 5_000  # several for each column of a screen, so that zooming in shows more


def group_size(length: int, groups: int = GROUPS) -> int:
    """How many candles make a group whose lowest and highest are drawn; 1 if every candle is."""
    return 1 if length <= 2 * groups else -(-length // groups)


def drawn(
    values: NDArray[np.float64], always: Sequence[int] = (), groups: int = GROUPS
) -> NDArray[np.intp]:
    """The places of the values to draw a line through, in order.

    Every value there is (NaN is none); or the lowest and the highest of each group, with the first, the last, and those at
    the places that are `always` drawn.
    """
    some = np.flatnonzero(np.isfinite(values))
    size = group_size(len(values), groups)
    if size == 1 or not len(some):
        return some
    starts = np.arange(0, len(values), size)
    lowest, highest = (
        _in_groups(np.where(np.isfinite(values), values, never), size, never)
        for never in (np.inf, -np.inf)
    )
    places = [starts + lowest.argmin(1), starts + highest.argmax(1), some[[0, -1]]]
    places.append(np.array(always, dtype=np.intp))
    candidates = np.unique(np.concatenate(places))
    found: NDArray[np.intp] = candidates[np.isfinite(values[candidates])]
    return found


def ranges(
    low: NDArray[np.float64], high: NDArray[np.float64], groups: int = GROUPS
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Of each group of candles the place of its middle, its lowest low and its highest high."""
    size = -(-len(low) // groups)
    starts = np.arange(0, len(low), size)
    ends = np.minimum(starts + size, len(low))
    middles = (starts + ends - 1) // 2
    return middles, np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)


def _in_groups(values: NDArray[np.float64], size: int, never: float) -> NDArray[np.float64]:
    """One row for each group; the last is filled up with what is never the answer."""
    rows = -(-len(values) // size)
    filled = np.full(rows * size, never)
    filled[: len(values)] = values
    return filled.reshape(rows, size)
