"""The gap ledger's rules: what an answer without some of the candles asked for means. Without any I/O.

An exchange that has no candle for a minute may have had no trade in it, or may be late, or broken. So a
hole is asked for again at growing intervals. It is taken for genuine after the third answer without it, if
that answer has candles before and after it; an answer that has not says less, so it takes more of them.
What is missing before the oldest candle that an exchange gives is out of its reach.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from backfiller.planner import Span, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONFIRMED_AFTER = 3
CONFIRMED_WITHOUT_NEIGHBOURS_AFTER = 8
# How long to wait after the first, the second, ... answer, in milliseconds on a real exchange.
ASK_AGAIN_AFTER = (60_000, 600_000, 3_600_000, 21_600_000, 86_400_000)


class GapState(Enum):
    """What is known of a hole."""

    FOUND = "found"
    FETCHING = "fetching"  # a question for it is under way
    FILLED = "filled"
    CONFIRMED_EMPTY = "confirmed_empty"
    OUT_OF_REACH = "out_of_reach"  # the exchange's API does not give what is so old


OPEN = (GapState.FOUND, GapState.FETCHING)


@dataclass(frozen=True, slots=True)
class Gap:
    """One hole of a partition. Times but for the span's are this machine's."""

    span: Span
    state: GapState
    found_at: int
    asked: int
    ask_again_at: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is there after an answer: `seen`, from its first candle to its last, and the oldest stored one."""

    seen: Span | None = None
    oldest: int | None = None

    def has_neighbours(self, hole: Span) -> bool:
        """Whether the answer has a candle before and one after that hole."""
        return self.seen is not None and self.seen.first < hole.first <= hole.last < self.seen.last

    def is_before_all(self, hole: Span) -> bool:
        """Whether nothing as old as that hole is known at all."""
        return self.oldest is not None and hole.last < self.oldest


def settle(
    known: Iterable[Gap],
    holes: Sequence[Span],
    step: int,
    now: int,
    *,
    evidence: Evidence,
    speed: float = 1.0,
) -> list[Gap]:
    """The rows that take the place of the `known` ones after an answer.

    Args:
        known: the rows that overlap what was asked for, cut to it.
        holes: what was asked for and is not there after all.
        step: the length of a candle.
        now: this machine's time.
        evidence: what the answer had.
        speed: how fast the exchange's clock runs; a rehearsal asks again as much sooner.
    """
    rows = []
    for gap in known:
        filled = subtract([gap.span], holes, step)
        rows += [
            replace(gap, span=span, state=GapState.FILLED, ask_again_at=None) for span in filled
        ]
        still = [part for hole in holes if (part := hole.overlap(gap.span))]
        rows += [_asked(replace(gap, span=span), now, evidence, speed) for span in still]
    fresh = subtract(holes, [gap.span for gap in known], step)
    new = (Gap(span, GapState.FOUND, now, 0, now) for span in fresh)
    rows += [_asked(gap, now, evidence, speed) for gap in new]
    return sorted(rows, key=lambda row: row.span)


def cut(gap: Gap, window: Span, step: int) -> tuple[list[Gap], Gap]:
    """The parts of a row outside a window, which stay as they are, and the one inside."""
    inside = gap.span.overlap(window)
    if inside is None:
        raise ValueError(f"gap: expected one that overlaps {window}, found {gap.span}")
    outside = [replace(gap, span=span) for span in subtract([gap.span], [inside], step)]
    return outside, replace(gap, span=inside)


def _asked(gap: Gap, now: int, evidence: Evidence, speed: float) -> Gap:
    """That hole after one more answer without it. An answer before its time says nothing new."""
    if gap.state not in OPEN:
        return gap
    if gap.ask_again_at is not None and now < gap.ask_again_at:
        return replace(gap, state=GapState.FOUND)
    asked = gap.asked + 1
    state = _state(gap.span, asked, evidence)
    wait = max(int(ASK_AGAIN_AFTER[min(asked, len(ASK_AGAIN_AFTER)) - 1] / speed), 1)
    again = now + wait if state is GapState.FOUND else None
    return replace(gap, state=state, asked=asked, ask_again_at=again)


def _state(hole: Span, asked: int, evidence: Evidence) -> GapState:
    if asked < CONFIRMED_AFTER:
        return GapState.FOUND
    if evidence.has_neighbours(hole):
        return GapState.CONFIRMED_EMPTY
    if evidence.is_before_all(hole):
        return GapState.OUT_OF_REACH
    is_old = asked >= CONFIRMED_WITHOUT_NEIGHBOURS_AFTER
    return GapState.CONFIRMED_EMPTY if is_old else GapState.FOUND
