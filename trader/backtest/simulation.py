"""Runs an account over candles, from event to event.

Nothing happens at most candles. Without a position the next event is the next buy signal; with one it is the
next sell signal or the first candle that reaches the stop-loss or the take-profit, which is looked for in whole
columns. What happens at an event is `account`'s to say, so that this is the plain loop over all candles, without
those at which it does nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

from trader.backtest.account import Account
from trader.core.money import from_price

if TYPE_CHECKING:
    from decimal import Decimal

    import numpy as np
    from numpy.typing import NDArray

    from trader.backtest.account import Terms
    from trader.backtest.candles import Candles
    from trader.backtest.signals import Signals
    from trader.core.position import Position

_CHUNK = 256  # candles; the next one looked at is twice as long


def simulate(terms: Terms, candles: Candles, signals: Signals) -> Account:
    """The account after all decisions."""
    account = Account(terms, candles, signals)
    events = _Events(account, candles, signals)
    place = candles.first
    while place < len(candles):
        account.settle(place)
        at, is_limit = events.next(place)
        if is_limit:
            account.protect(at)
        if at < len(candles):
            account.decide(at)
        place = at + 1
    return account


class _Events:
    """Where something happens next."""

    def __init__(self, account: Account, candles: Candles, signals: Signals) -> None:
        self._account = account
        self._candles = candles
        self._buys, self._sells = signals.buys, signals.sells
        self._guarded: Position | None = None
        self._stop, self._target = -math.inf, math.inf

    def next(self, place: int) -> tuple[int, bool]:
        """The first candle from `place` on at which something happens, and whether that is a price reached.

        The number of candles if there is none.
        """
        position = self._account.books.position
        if position is None:
            nothing = len(self._candles)
            return (
                _first(self._buys, place, nothing) if self._account.affords_entry else nothing
            ), False
        if position is not self._guarded:
            self._guarded = position
            stop, target = self._account.limits()
            self._stop = -math.inf if stop is None else highest_up_to(stop)
            self._target = math.inf if target is None else -highest_up_to(-target)
        sell = _first(self._sells, place, len(self._candles))
        reached = self._reached(place, min(sell + 1, len(self._candles)))
        return (sell, False) if reached is None else (reached, True)

    def _reached(self, start: int, end: int) -> int | None:
        """The first candle in that span which reaches a limit."""
        length = _CHUNK
        while start < end:
            chunk = slice(start, min(start + length, end))
            hit: NDArray[np.bool_] = self._candles.low[chunk] <= self._stop
            if self._target != math.inf:
                hit |= self._candles.high[chunk] >= self._target
            at = int(hit.argmax())
            if hit[at]:
                return start + at
            start, length = chunk.stop, 2 * length
        return None


def _first(places: list[int], start: int, nothing: int) -> int:
    """The first of these places from `start` on."""
    at = bisect_left(places, start)
    return places[at] if at < len(places) else nothing


def highest_up_to(limit: Decimal) -> float:
    """The highest price that is not above a limit, so that columns of prices compare with it exactly."""
    price = float(limit)
    while from_price(price) > limit:
        price = math.nextafter(price, -math.inf)
    while from_price(above := math.nextafter(price, math.inf)) <= limit:
        price = above
    return price
