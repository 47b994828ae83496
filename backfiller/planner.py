"""Which candles to ask an exchange for: arithmetic on spans of open times, without any I/O.

A span is a run of candles of one partition. What is wanted, what is stored and what an exchange was
found not to have are lists of spans; what is left when the second and the third are taken from the
first is missing, and is asked for in windows of at most as many candles as one answer holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The candles that open from `first` to `last`, both included; both lie on the grid."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"span: expected first <= last, found {self.first} and {self.last}")

    def count(self, step: int) -> int:
        """How many candles those are, `step` milliseconds apart."""
        return (self.last - self.first) // step + 1

    def __contains__(self, open_time: int) -> bool:
        return self.first <= open_time <= self.last

    def overlap(self, other: Span) -> Span | None:
        """The candles that are in both."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None


def spans_of(open_times: Iterable[int], step: int) -> list[Span]:
    """Ascending open times as the fewest spans, oldest first."""
    spans: list[Span] = []
    for open_time in open_times:
        if spans and open_time - spans[-1].last == step:
            spans[-1] = Span(spans[-1].first, open_time)
        else:
            spans.append(Span(open_time, open_time))
    return spans


def subtract(wanted: Iterable[Span], taken: Iterable[Span], step: int) -> list[Span]:
    """What is left of the wanted spans without the taken ones, oldest first.

    The spans of each list are apart from each other; their order does not matter.
    """
    left = []
    others = sorted(taken)
    start = 0
    for span in sorted(wanted):
        first = span.first
        while start < len(others) and others[start].last < span.first:
            start += 1
        for other in others[start:]:
            if other.first > span.last:
                break
            if other.first > first:
                left.append(Span(first, other.first - step))
            first = max(first, other.last + step)
        if first <= span.last:
            left.append(Span(first, span.last))
    return left


def joined(spans: Iterable[Span], step: int) -> list[Span]:
    """The same candles in the fewest spans, oldest first, whether or not the given ones overlap."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.first - found[-1].last <= step:
            found[-1] = Span(found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return found


def parted(spans: Iterable[Span], moment: int, step: int) -> tuple[list[Span], list[Span]]:
    """The candles that open before `moment`, which is on the grid, and the others."""
    before, after = [], []
    for span in spans:
        if span.first < moment:
            before.append(Span(span.first, min(span.last, moment - step)))
        if span.last >= moment:
            after.append(Span(max(span.first, moment), span.last))
    return before, after


def compared(missing: Iterable[Span], stored: Iterable[Span], step: int) -> list[Span]:
    """What is missing, with the newest few of the stored candles that end where it begins.

    They come with the same call, and show whether the exchange still says the same of them.
    """
    firsts = {span.last + step: span.first for span in stored}
    return [
        Span(max(span.first - COMPARED * step, firsts.get(span.first, span.first)), span.last)
        for span in missing
    ]


def edge(newest: int, last: int, step: int, most: int) -> Span | None:
    """What to ask for when candles up to `last` have closed and those up to `newest` are stored.

    The newest few that are stored are asked for again in the same call, to see whether the exchange
    still says the same of them. None: nothing is missing.
    """
    if newest >= last:
        return None
    first = newest - (COMPARED - 1) * step
    return Span(max(first, last - (most - 1) * step, 0), last)


def padded(window: Span, step: int, most: int, newest: int, *, wide: bool) -> Span:
    """That window with neighbours, as far as one answer holds them and none is after `newest`.

    One candle later, or with `wide` many on both sides: an answer without a candle that is known to be
    there is no answer, and a hole between two candles of an answer is one.
    """
    room = min(most - window.count(step), 2 * _WIDE if wide else 1)
    if room < 1:
        return window
    later = max(min((room + 1) // 2, (newest - window.last) // step), 0)
    earlier = min(room - later, window.first // step) if wide else 0
    return Span(window.first - earlier * step, window.last + later * step)


COMPARED = 3
_WIDE = 60


def windows(missing: Iterable[Span], step: int, most: int) -> list[Span]:
    """Exactly those candles, cut into windows of at most `most`, newest first."""
    cut = []
    for span in sorted(missing, reverse=True):
        last = span.last
        while last >= span.first:
            first = max(span.first, last - (most - 1) * step)
            cut.append(Span(first, last))
            last = first - step
    return cut


def gathered(missing: Iterable[Span], step: int, most: int) -> list[Span]:
    """Few windows of at most `most` that together hold those candles, newest first.

    Between scattered holes the windows also hold candles that are there: asking for a thousand single
    holes one by one would be a thousand calls.
    """
    found: list[Span] = []
    for window in windows(missing, step, most):
        if found and found[-1].last - window.first < most * step:
            found[-1] = Span(window.first, found[-1].last)
        else:
            found.append(window)
    return found
