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
