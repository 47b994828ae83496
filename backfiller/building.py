"""Candles made of finer ones, where an exchange does not offer them. Without any I/O.

A built candle is the exact aggregate of all the finer ones in it. It needs each of them to be there, or
known not to exist; otherwise it would be one that no exchange could have shown.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from backfiller.ledger import OPEN, GapState
from backfiller.planner import Span
from common.candle import Candle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backfiller.ledger import Gap
    from common.market_data import Row
    from common.timeframe import Timeframe


def source_of(wanted: Timeframe, offered: Iterable[Timeframe]) -> Timeframe | None:
    """Of which of the offered timeframes to build: the longest that a whole number of fills one candle.

    Each is as exact as the other, since the exchange made both of the same trades; the longest takes
    the fewest calls, and the fewest of its candles are missing because nothing was traded.
    """
    fitting = [
        one
        for one in offered
        if one.milliseconds < wanted.milliseconds and not wanted.milliseconds % one.milliseconds
    ]
    return max(fitting, key=lambda one: one.milliseconds, default=None)


def slots_around(window: Span, wanted: Timeframe) -> Span:
    """The built candles that candles of a window are part of."""
    return Span(wanted.floor(window.first), wanted.floor(window.last))


def build(
    rows: Sequence[Row], gaps: Iterable[Gap], source: Timeframe, wanted: Timeframe
) -> list[Candle]:
    """The candles that can be built of those rows, oldest first.

    Args:
        rows: the finer candles, in order.
        gaps: the finer ones that are missing, of which those count that are known not to exist.
        source: the timeframe of both.
        wanted: the timeframe to build.
    """
    empty = [gap.span for gap in gaps if gap.state is GapState.CONFIRMED_EMPTY]
    full = wanted.milliseconds // source.milliseconds
    candles = []
    for opened, part in groupby(rows, key=lambda row: wanted.floor(row[0])):
        parts = list(part)
        if len(parts) + _count(empty, opened, source, wanted) == full:
            candles.append(_aggregate(opened, parts))
    return candles


def holes(
    built: Iterable[int],
    rows: Iterable[Row],
    gaps: Iterable[Gap],
    slots: Span,
    *,
    source: Timeframe,
    wanted: Timeframe,
) -> list[tuple[Span, GapState]]:
    """What is known of the candles in `slots` that could not be built, oldest first.

    Args:
        built: the open times of those that could.
        rows: the finer candles.
        gaps: the finer candles that are missing.
        slots: the first and the last one to judge.
        source: the timeframe of the finer ones.
        wanted: the timeframe that is built.
    """
    there, gaps = set(built), list(gaps)
    present = Counter(wanted.floor(row[0]) for row in rows)
    found: list[tuple[Span, GapState]] = []
    for opened in range(slots.first, slots.last + 1, wanted.milliseconds):
        if opened in there:
            continue
        state = _state(opened, present[opened], gaps, source, wanted)
        if state is None:
            continue
        if found and found[-1][1] is state and found[-1][0].last == opened - wanted.milliseconds:
            found[-1] = (Span(found[-1][0].first, opened), state)
        else:
            found.append((Span(opened, opened), state))
    return found


def _state(
    opened: int, present: int, gaps: Iterable[Gap], source: Timeframe, wanted: Timeframe
) -> GapState | None:
    """Why a candle is not built; None: not all of its parts have been asked for yet."""
    inside = Span(opened, wanted.close_of(opened) - source.milliseconds)
    parts = [(part, gap.state) for gap in gaps if (part := gap.span.overlap(inside))]
    states = {state for _, state in parts}
    missing = sum(part.count(source.milliseconds) for part, _ in parts)
    if present + missing < inside.count(source.milliseconds):
        return None
    if states & set(OPEN):
        return GapState.FOUND
    if GapState.OUT_OF_REACH in states:
        return GapState.OUT_OF_REACH
    return GapState.CONFIRMED_EMPTY


def _count(empty: Iterable[Span], opened: int, source: Timeframe, wanted: Timeframe) -> int:
    """How many of the finer candles within one are known not to exist."""
    inside = Span(opened, wanted.close_of(opened) - source.milliseconds)
    parts = (span.overlap(inside) for span in empty)
    return sum(part.count(source.milliseconds) for part in parts if part)


def _aggregate(opened: int, parts: Sequence[Row]) -> Candle:
    return Candle(
        opened,
        parts[0][1],
        max(row[2] for row in parts),
        min(row[3] for row in parts),
        parts[-1][4],
        float(sum(Decimal(str(row[5])) for row in parts)),  # as an exchange adds: in decimals
    )
