"""The price path of one market, and what can be read from any such path at any time.

A path is a row of equally long unit candles. Within each, the price runs in straight lines through
a few equally spaced knots, so its value at any millisecond is known, and the extremes of a closed
candle are at its knots.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol

import numpy as np

from practice.candles import Candles, flat_candles

if TYPE_CHECKING:
    from collections.abc import Callable

    from practice.noise import Flags, Integers


class Path(Protocol):
    """Where the prices of one market come from.

    Unit candle number i opens at `i * unit_ms`. Prices are in units of 10**-price_decimals and
    volumes in units of 10**-volume_decimals.
    """

    @property
    def unit_ms(self) -> int:
        """How long a unit candle is."""
        ...

    @property
    def first_ms(self) -> int:
        """The open time of the first candle there is."""
        ...

    @property
    def price_decimals(self) -> int:
        """How many decimals a price has."""
        ...

    @property
    def volume_decimals(self) -> int:
        """How many decimals a volume has."""
        ...

    def units(self, first: int, end: int) -> Candles:
        """The unit candles number `first` to `end` - 1, as they are once closed."""
        ...

    def groups(self, first: int, end: int, size: int) -> Candles:
        """The candles of `size` units each, number `first` to `end` - 1, as they are once closed."""
        ...

    def knots(self, unit: int) -> Integers:
        """The prices at equally spaced times of one unit candle, both ends included."""
        ...


def price_at(path: Path, now_ms: int) -> int:
    """The price of the last trade."""
    unit, elapsed_ms = divmod(now_ms, path.unit_ms)
    return _along(path.knots(unit), elapsed_ms / path.unit_ms)


def candles(
    path: Path, length_ms: int, first_ms: int, last_ms: int, now_ms: int
) -> tuple[int, Candles]:
    """The candles that open from `first_ms` to `last_ms`, both included, as they stand at `now_ms`.

    The candle that is open at `now_ms` is the last one, as far as it has got. `length_ms` is a
    multiple of the path's unit.

    Returns:
        The open time of the first candle, and the candles.
    """
    first = max(-(-first_ms // length_ms), path.first_ms // length_ms)
    last = min(last_ms, now_ms) // length_ms
    if first > last:
        return first * length_ms, flat_candles(0, 0)
    group = length_ms // path.unit_ms
    open_unit = now_ms // path.unit_ms
    closed = max(first, min(last + 1, open_unit // group))
    found = path.groups(first, closed, group)
    if closed <= last:
        parts = path.units(closed * group, open_unit).followed_by(_open_unit(path, now_ms))
        found = found.followed_by(parts.grouped(group))
    return first * length_ms, found


def first_crossing(
    path: Path, since_ms: int, until_ms: int, crosses: Callable[[Integers], Flags]
) -> int | None:
    """The first moment from `since_ms` to `until_ms` whose price fulfils `crosses`, if any does.

    Args:
        path: the prices.
        since_ms: the first moment to look at.
        until_ms: the last one.
        crosses: for prices, whether each is on the wanted side of a level; once true, it stays
            true for prices further away on that side.
    """
    if since_ms > until_ms:
        return None
    first, last = since_ms // path.unit_ms, until_ms // path.unit_ms
    units = path.units(first, last + 1)
    for offset in np.flatnonzero(crosses(units.low) | crosses(units.high)):
        moment = _crossing_in_unit(path, first + int(offset), since_ms, until_ms, crosses)
        if moment is not None:
            return moment
    return None


def _crossing_in_unit(
    path: Path, unit: int, since_ms: int, until_ms: int, crosses: Callable[[Integers], Flags]
) -> int | None:
    opens = unit * path.unit_ms
    knots = path.knots(unit)
    times = [opens + path.unit_ms * knot // (len(knots) - 1) for knot in range(len(knots))]

    def is_across(moment: int) -> bool:
        price = _along(knots, (moment - opens) / path.unit_ms)
        return bool(crosses(np.array([price], dtype=np.int64))[0])

    for start, end in itertools.pairwise(times):
        low, high = max(start, since_ms), min(end, until_ms)
        if low <= high and (is_across(low) or is_across(high)):
            # Within one straight line the price is across from its start or from some moment on.
            return (
                low if is_across(low) else low + bisect_left(range(low, high), True, key=is_across)
            )
    return None


def _open_unit(path: Path, now_ms: int) -> Candles:
    """The unit candle that is open at `now_ms`, made of the part of the path until then."""
    unit, elapsed_ms = divmod(now_ms, path.unit_ms)
    knots = path.knots(unit)
    share = elapsed_ms / path.unit_ms
    passed = knots[: int(share * (len(knots) - 1)) + 1]
    seen = np.append(passed, _along(knots, share))
    volume = -(-int(path.units(unit, unit + 1).volume[0]) * elapsed_ms // path.unit_ms)
    return Candles(
        seen[:1], seen.max(keepdims=True), seen.min(keepdims=True), seen[-1:], np.array([volume])
    )


def _along(knots: Integers, share: float) -> int:
    """The price where that share of the unit candle, from 0 to 1, has passed."""
    position = share * (len(knots) - 1)
    left = min(int(position), len(knots) - 2)
    start, end = int(knots[left]), int(knots[left + 1])
    return round(start + (end - start) * (position - left))
