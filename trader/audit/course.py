"""The candles that were decided on, in order, and between which of them each change of the books came.

The changes are in order, the candles too. Between them stands what is known: an order that a signal led to was
written with it; one that a limit led to names the last candle before it; for the rest there is this machine's clock
when either was written. Where that leaves a choice, a change counts as late as it can and still explain what was
written at each candle.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from trader.audit.changes import Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trader.audit.changes import Change
    from trader.audit.difference import Difference
    from trader.core.books import Books
    from trader.core.equity import Marks
    from trader.ledger.written import SignalRow

_SLACK_MS = 1000  # a millisecond has room for a whole pass, and clocks are set


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A candle with what was written at it; `before` is the equity before it, where that is known."""

    timestamp: int
    closed_at: int
    close: float
    row: SignalRow | None
    marks: Marks | None
    before: Marks | None


class Course:
    """Candles and changes beside each other."""

    def __init__(
        self, evaluated: Sequence[Evaluated], changes: Sequence[Change], first: Books
    ) -> None:
        self._evaluated = evaluated
        self._changes = changes
        self._books = [change.before for change in changes]
        self._books.append(changes[-1].after if changes else first)
        self._times = [one.timestamp for one in evaluated]
        self._closes = [one.closed_at for one in evaluated]
        written = [0 if one.row is None else one.row.created_at for one in evaluated]
        self._written = list(accumulate(written, max))
        self._unsure = self._set_back(written)
        self._least, self._most = self._bounds()

    def compared(
        self, compare: Callable[[Evaluated, Books], list[Difference]]
    ) -> Iterator[tuple[Evaluated, list[Difference]]]:
        """Each candle with its differences, under the books that explain it best."""
        came = 0
        for place, one in enumerate(self._evaluated):
            least = max(came, self._least[place])
            most = max(least, self._most[place])
            came, found = least, compare(one, self._books[least])
            if most > least and _is_unexplained(found):
                came, found = self._best(place, least, most, compare)
            yield one, found

    def _best(
        self,
        place: int,
        least: int,
        most: int,
        compare: Callable[[Evaluated, Books], list[Difference]],
    ) -> tuple[int, list[Difference]]:
        """The first number of changes that explains a candle; if none does, that by the clock."""
        one = self._evaluated[place]
        for number in range(least, most + 1):
            found = compare(one, self._books[number])
            if not _is_unexplained(found):
                return number, found
        number = least
        while number < most and (self._changes[number].latest or 0) <= self._written[place]:
            number += 1
        return number, compare(one, self._books[number])

    def _bounds(self) -> tuple[list[int], list[int]]:
        """How many changes came before each candle was decided on, at least and at most."""
        count = len(self._times)
        ends = [self._span(change) for change in self._changes]
        due = count
        for place in range(len(ends) - 1, -1, -1):
            after, before = ends[place]
            due = min(due, before)
            ends[place] = (after, due)
            if self._changes[place].why is Why.SIGNAL:
                due = min(due, max(after, 0))  # nothing is on its way when an order is decided on
        least, most, passed = [], [], 0
        for place in range(count):
            while passed < len(ends) and ends[passed][1] <= place:
                passed += 1
            least.append(passed)
            number = passed
            while number < len(ends) and ends[number][0] < place:
                number += 1
            most.append(number)
        return least, most

    def _span(self, change: Change) -> tuple[int, int]:
        """The last candle that is surely before a change, and the first one that is surely after it."""
        if change.candle is not None:
            place = bisect_right(self._times, change.candle) - 1
            return place, place + 1
        after, before = -1, len(self._times)
        if change.earliest is not None and not self._is_unsure(change.earliest):
            after = bisect_left(self._written, change.earliest - _SLACK_MS) - 1
        if change.latest is not None and not self._is_unsure(change.latest):
            before = bisect_right(self._written, change.latest + _SLACK_MS)
        if change.before_close_after is not None:
            before = min(before, bisect_right(self._closes, change.before_close_after))
        return after, max(before, after + 1)

    def _set_back(self, written: Sequence[int]) -> list[tuple[int, int]]:
        """The times that this machine's clock may have shown twice, since it was set back: they tell no order."""
        lowest: dict[int, int] = {}
        for now, highest in zip(written, self._written, strict=True):
            if 0 < now < highest - _SLACK_MS:
                lowest[highest] = min(now, lowest.get(highest, now))
        length = (
            self._closes[0] - self._times[0] if self._times else 0
        )  # so long it may be to the next row
        return [(low - length, highest + length) for highest, low in lowest.items()]

    def _is_unsure(self, written_at: int) -> bool:
        return any(first <= written_at <= last for first, last in self._unsure)


def _is_unexplained(found: Sequence[Difference]) -> bool:
    return any(difference.cause is None for difference in found)
