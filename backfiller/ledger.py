"""The gap ledger's rules: what an answer without some of the candles asked for means. Without any I/O.

An exchange that has no candle for a minute may have had no trade in it, or may be late, or broken. So a
hole is asked for again at growing intervals; after the third answer without it, it is taken for genuine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from backfiller.planner import Span, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONFIRMED_AFTER = 3
# How long to wait after the first, the second, ... answer, in milliseconds on a real exchange.
ASK_AGAIN_AFTER = (60_000, 600_000)


class GapState(Enum):
    """What is known of a hole."""

    FOUND = "found"
    FILLED = "filled"
    CONFIRMED_EMPTY = "confirmed_empty"


@dataclass(frozen=True, slots=True)
class Gap:
    """One hole of a partition. Times but for the span's are this machine's."""

    span: Span
    state: GapState
    found_at: int
    asked: int
    ask_again_at: int | None


def settle(
    known: Iterable[Gap], holes: Sequence[Span], step: int, now: int, *, speed: float = 1.0
) -> list[Gap]:
    """The rows that take the place of the `known` ones after an answer.

    Args:
        known: the rows that overlap what was asked for, cut to it.
        holes: what was asked for and is not there after all.
        step: the length of a candle.
        now: this machine's time.
        speed: how fast the exchange's clock runs; a rehearsal asks again as much sooner.
    """
    rows = []
    for gap in known:
        filled = subtract([gap.span], holes, step)
        rows += [_filled(gap, span) for span in filled]
        still = [part for hole in holes if (part := hole.overlap(gap.span))]
        rows += [_asked(span, gap.found_at, gap.asked + 1, now, speed) for span in still]
    fresh = subtract(holes, [gap.span for gap in known], step)
    rows += [_asked(span, now, 1, now, speed) for span in fresh]
    return sorted(rows, key=lambda row: row.span)


def cut(gap: Gap, window: Span, step: int) -> tuple[list[Gap], Gap]:
    """The parts of a row outside a window, which stay as they are, and the one inside."""
    inside = gap.span.overlap(window)
    if inside is None:
        raise ValueError(f"gap: expected one that overlaps {window}, found {gap.span}")
    outside = [replace(gap, span=span) for span in subtract([gap.span], [inside], step)]
    return outside, replace(gap, span=inside)


def _filled(gap: Gap, span: Span) -> Gap:
    return Gap(span, GapState.FILLED, gap.found_at, gap.asked, None)


def _asked(span: Span, found_at: int, asked: int, now: int, speed: float) -> Gap:
    if asked >= CONFIRMED_AFTER:
        return Gap(span, GapState.CONFIRMED_EMPTY, found_at, asked, None)
    wait = max(int(ASK_AGAIN_AFTER[asked - 1] / speed), 1)
    return Gap(span, GapState.FOUND, found_at, asked, now + wait)
