"""Compares the equity at each candle, and what its limits count from, with the books and the equity before it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from trader.audit.difference import NOTHING, Difference, Kind, words
from trader.core.equity import reached
from trader.core.money import exactly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trader.audit.configuration import Configurations
    from trader.audit.course import Evaluated
    from trader.core.books import Books


class Equity:
    """The equity as the books have it. From `kept_since` on each signal has its row."""

    def __init__(self, configurations: Configurations, kept_since: float) -> None:
        self._configurations = configurations
        self._kept_since = kept_since

    def compare(self, one: Evaluated, books: Books) -> list[Difference]:
        """The differences at one candle."""
        equity = books.equity(one.close)
        if one.marks is None:
            is_due = one.row is not None and one.timestamp >= self._kept_since
            return [_differ(one, "row", NOTHING, words(equity))] if is_due else []
        found = []
        if one.marks.equity != equity:
            found.append(_differ(one, "equity", words(one.marks.equity), words(equity)))
        return [*found, *self._marks(one)]

    def _marks(self, one: Evaluated) -> Iterator[Difference]:
        """What the limits count from follows from the equity as written, so that one fault is told once."""
        assert one.marks is not None
        if one.marks.closed_at != one.closed_at:
            yield _differ(one, "closed_at", words(one.marks.closed_at), words(one.closed_at))
        if one.before is None or one.row is None:
            return
        rules = self._configurations.at(one.row.created_at).settings.rules
        due = one.before.after(one.closed_at, one.marks.equity)
        if reached(due, rules) is not None:
            due = due.counted_anew()
        for name in ("peak", "opening"):
            written, replayed = getattr(one.marks, name), getattr(due, name)
            if written != replayed:
                yield _differ(one, name, words(written), words(replayed))


def told_once(course: Iterable[tuple[Evaluated, list[Difference]]]) -> Iterator[Difference]:
    """All differences of a course; an equity that stays off by one and the same amount is one of them."""
    off, last = None, None
    for _, found in course:
        equity = next((d for d in found if (d.kind, d.what) == (Kind.EQUITY, "equity")), None)
        if equity is None:
            if last is not None:
                yield last
            off = last = None
        elif last is not None and _gap(equity) == off:
            last = replace(last, count=last.count + 1)
        else:
            if last is not None:
                yield last
            off, last = _gap(equity), equity
        yield from (difference for difference in found if difference is not equity)
    if last is not None:
        yield last


def _differ(one: Evaluated, what: str, written: str, replayed: str) -> Difference:
    return Difference(Kind.EQUITY, one.timestamp, what, written, replayed)


def _gap(equity: Difference) -> Decimal:
    with exactly():
        return Decimal(equity.written) - Decimal(equity.replayed)
