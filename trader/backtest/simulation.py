"""Runs an account over candles, from event to event.

Nothing happens at most candles. Without a position the next event is the next buy signal; with one it is the
next sell signal, the last candle that it may be held for, or the first candle that may reach a limit, which is looked
for in whole columns. What happens at an event is `account`'s to say, so that this is the plain loop over all
candles, without those at which it does nothing. Where limits of the equity are set, each candle with a position is an
event.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from trader.backtest.account import Account
from trader.core.money import highest_up_to, lowest_from

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trader.backtest.account import Terms
    from trader.backtest.candles import Candles
    from trader.backtest.signals import Signals
    from trader.core.position import Position
    from trader.core.rules import Rules

_CHUNK = 256  # candles; the next one looked at is twice as long
_NEARLY = 1 + 1e-9  # a trailing stop is looked for in floats, and decided in decimals


def simulate(terms: Terms, candles: Candles, signals: Signals) -> Account:
    """The account after all decisions."""
    account = Account(terms, candles, signals)
    events = _Events(account, terms.rules, candles, signals)
    place = candles.first
    while place < len(candles):
        account.settle(place)
        place = events.next(place)
        if place < len(candles):
            account.protect(place)
            account.decide(place)
        place += 1
    return account


class _Events:
    """Where something may happen next."""

    def __init__(self, account: Account, rules: Rules, candles: Candles, signals: Signals) -> None:
        self._account = account
        self._rules = rules
        self._candles = candles
        self._buys, self._sells = signals.buys, signals.sells
        self._guarded: Position | None = None
        self._stop, self._target = -math.inf, math.inf
        self._trail = 0.0 if rules.trailing_stop is None else float(1 - rules.trailing_stop)

    def next(self, place: int) -> int:
        """The first candle from `place` on at which something may happen; the number of candles if there is none."""
        account, nothing = self._account, len(self._candles)
        if account.books.pending is not None:
            return place
        position = account.books.position
        if self._rules.limits_equity and (position is not None or self._has_changed_at(place)):
            return place
        if position is None:
            return _first(self._buys, place, nothing) if account.can_enter else nothing
        if position is not self._guarded:
            self._guarded = position
            found = account.limits(place)
            self._stop = -math.inf if found.stop is None else highest_up_to(found.stop)
            self._target = math.inf if found.target is None else lowest_from(found.target)
        end = min(_first(self._sells, place, nothing), self._overdue(position, place))
        reached = self._reached(place, min(end + 1, nothing))
        return end if reached is None else reached

    def _has_changed_at(self, place: int) -> bool:
        changes = self._account.changes
        return bool(changes) and changes[-1][0] >= place

    def _overdue(self, position: Position, place: int) -> int:
        """The candle at whose close the position has been held for as long as it may be."""
        if not self._rules.max_holding:
            return len(self._candles)
        length = self._candles.timeframe.milliseconds
        last = (position.opened_at // length + self._rules.max_holding - 1) * length
        return max(place, int(np.searchsorted(self._candles.timestamp, last)))

    def _reached(self, start: int, end: int) -> int | None:
        """The first candle in that span which may reach a limit."""
        highest, length = self._highest(start), _CHUNK
        while start < end:
            chunk = slice(start, min(start + length, end))
            hit: NDArray[np.bool_] = self._candles.low[chunk] <= self._stop
            if self._target != math.inf:
                hit |= self._candles.high[chunk] >= self._target
            if self._trail:
                high = self._candles.high[chunk]
                before = np.maximum.accumulate(np.concatenate(([highest], high[:-1])))
                known = np.maximum(before, self._candles.open[chunk])
                hit |= self._candles.low[chunk] <= known * self._trail * _NEARLY
                highest = max(float(before[-1]), float(high[-1]))
            at = int(hit.argmax())
            if hit[at]:
                return start + at
            start, length = chunk.stop, 2 * length
        return None

    def _highest(self, place: int) -> float:
        return float(self._account.highest(place)) if self._trail else 0.0


def _first(places: list[int], start: int, nothing: int) -> int:
    """The first of these places from `start` on."""
    at = bisect_left(places, start)
    return places[at] if at < len(places) else nothing
