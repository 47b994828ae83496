"""The limits on a strategy's equity: the loss of a day, and the drawdown.

They are looked at when a candle closes, which is when entries are decided. A limit that was reached ends entries,
not exits, and counts anew from there: for a person who resumes, the next loss of that size is the next limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from trader.core.money import exactly, quotient

if TYPE_CHECKING:
    from trader.core.rules import Rules

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Marks:
    """The equity at the last close, and what its limits are counted from, in quote currency.

    `closed_at` is when that candle closed; `peak` the highest equity and `opening` that of the UTC day's begin, each
    since the last limit that was reached.
    """

    closed_at: int
    equity: Decimal
    peak: Decimal
    opening: Decimal

    @classmethod
    def first(cls, balance: Decimal) -> Marks:
        """Before anything was traded."""
        return cls(0, balance, balance, balance)

    def after(self, closed_at: int, equity: Decimal) -> Marks:
        """The marks after the next candle's close; a close at midnight belongs to the day that ends."""
        is_new_day = (closed_at - 1) // DAY_MS != (self.closed_at - 1) // DAY_MS
        opening = self.equity if is_new_day else self.opening
        return Marks(closed_at, equity, max(self.peak, equity), opening)

    def counted_anew(self) -> Marks:
        """The marks after a limit was reached."""
        return replace(self, peak=self.equity, opening=self.equity)


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that was reached: why entries end, and until when by the exchange's clock; None: a person resumes."""

    reason: str
    until: int | None


def reached(marks: Marks, rules: Rules) -> Reached | None:
    """The limit that the equity has reached; the drawdown's before the day's, since it lasts longer.

    A day that ends with this close has no entries left to end.
    """
    drawdown = _loss(marks.peak, marks.equity)
    if rules.max_drawdown is not None and drawdown >= rules.max_drawdown:
        return Reached(_words("drawdown", drawdown, rules.max_drawdown), None)
    loss = _loss(marks.opening, marks.equity)
    next_day = -(-marks.closed_at // DAY_MS) * DAY_MS
    if rules.daily_loss is not None and loss >= rules.daily_loss and next_day > marks.closed_at:
        return Reached(_words("loss of the day", loss, rules.daily_loss), next_day)
    return None


def _loss(before: Decimal, after: Decimal) -> Decimal:
    """The ratio of `before` that is gone."""
    if before <= 0:
        return Decimal(0)
    with exactly():
        lost = before - after
    return quotient(lost, before)


def _words(what: str, found: Decimal, limit: Decimal) -> str:
    return f"{what} {found:.2%} has reached its limit {limit:.2%}"
