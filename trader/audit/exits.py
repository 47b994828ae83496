"""Compares the exits that no signal asked for: what a limit led to, and what an exit has left over.

A limit acts on a ticker, and tickers are not kept. But the reason names the price and the limit, so the guard is asked
again with that price; and the candles tell whether there can have been such a price.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from common.candle import Ticker
from trader.audit.changes import Why
from trader.audit.difference import NOTHING, Difference, Kind, words
from trader.audit.orders import compare_order
from trader.audit.rebuilding import TOO_LITTLE
from trader.core.guard import guard
from trader.core.money import exactly, from_price, plain, quotient
from trader.core.order import Purpose
from trader.core.rules import Conditions
from trader.core.step import exit_again

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trader.audit.changes import Change
    from trader.audit.configuration import Configurations
    from trader.audit.prices import Prices
    from trader.core.decision import Decision, State
    from trader.core.rules import MarketRules, Rules

_REASON = re.compile(
    r"([a-z-]+): price ([0-9.]+) is at or (?:below|above) ([0-9.]+(?:e[+-][0-9]+)?)"
)
_DIGITS = 10  # a limit is told with so many
_NEARLY = Decimal("1e-9")


class Exits:
    """The exits between candles of one strategy."""

    def __init__(self, configurations: Configurations, market: MarketRules, prices: Prices) -> None:
        self._configurations = configurations
        self._market = market
        self._prices = prices

    def compare(self, changes: Sequence[Change]) -> Iterator[Difference]:
        """The differences of each of them."""
        for change in changes:
            if change.why is Why.LIMIT:
                yield from self._of_limit(change)
            elif change.why is Why.AGAIN:
                yield from self._again(change)

    def _of_limit(self, change: Change) -> Iterator[Difference]:
        moment, reason = _told(change)
        match = _REASON.match(reason)
        if match is None or not Decimal(match[2]):
            yield Difference(
                Kind.ORDER, moment, "reason", reason, "a limit, and the price that reached it"
            )
            return
        price = Decimal(match[2])
        found: list[Difference] = []
        for rules in self._rules(change):
            found = list(self._by_guard(change, rules, match))
            if not found:
                break
        yield from found
        if self._ticker(change, price) is not None:
            return
        # An order is decided after the ticker that led to it; a position is written off at once.
        seen_at = moment - (change.order is not None)
        if why := self._prices.why_not(price, seen_at, self._prices.ticker_before(seen_at + 1)):
            yield Difference(Kind.ORDER, moment, f"price of {match[1]}", words(price), why)

    def _by_guard(self, change: Change, rules: Rules, match: re.Match[str]) -> Iterator[Difference]:
        """What differs from what the guard says of the price that the reason names."""
        moment, _ = _told(change)
        candle = moment if change.candle is None else change.candle
        seen = self._seen(change, candle, Decimal(match[2]))
        highest = self._highest(change, rules, match, seen)
        ticker = Ticker(moment - (change.order is not None), None, None, float(match[2]))
        state = self._state(change, rules, moment)
        yield from _compare(change, moment, guard(state, ticker, candle, highest))
        if highest is not None and match[1] == Purpose.TRAILING_STOP.value:
            yield from self._followed(change, highest, seen)

    def _highest(
        self, change: Change, rules: Rules, match: re.Match[str], seen: int
    ) -> Decimal | None:
        """The price that the trailing stop followed, by the limit that it led to; else by the candles."""
        if rules.trailing_stop is None or change.before.position is None:
            return None
        if match[1] == Purpose.TRAILING_STOP.value:
            return quotient(_unrounded(Decimal(match[3])), 1 - rules.trailing_stop)
        known = self._prices.highest_known(change.before.position.opened_at, seen)
        return None if known is None else from_price(known)

    def _ticker(self, change: Change, price: Decimal) -> Ticker | None:
        """The ticker since the entry that told that price, if it is still stored. It may be an old one."""
        moment, _ = _told(change)
        position = change.before.position
        since = 0 if position is None else position.opened_at
        return self._prices.ticker_telling(price, since, moment)

    def _seen(self, change: Change, candle: int, price: Decimal) -> int:
        """The open time of the last candle that the stop is sure to have followed.

        It was there, since it had been evaluated, and had closed before the ticker. Where that is not stored any
        more, it may have been older than the newest candle's close.
        """
        length = self._configurations.latest.partition.timeframe.milliseconds
        ticker = self._ticker(change, price)
        return candle - length if ticker is None else min(candle, ticker.timestamp - length)

    def _followed(self, change: Change, highest: Decimal, seen: int) -> Iterator[Difference]:
        """A trailing stop follows no less than the candles' highs, and no more than there can have been."""
        assert change.before.position is not None
        moment, _ = _told(change)
        opened_at = change.before.position.opened_at
        known = self._prices.highest_known(opened_at, seen)
        possible = self._prices.highest_possible(opened_at, moment)
        what = "price that the stop followed"
        if known is not None and highest < from_price(known) * (1 - _NEARLY):
            yield Difference(Kind.ORDER, moment, what, words(highest), f"at least {known:.10g}")
        if possible is not None and highest > from_price(possible) * (1 + _NEARLY):
            yield Difference(Kind.ORDER, moment, what, words(highest), f"at most {possible:.10g}")

    def _again(self, change: Change) -> Iterator[Difference]:
        moment, reason = _told(change)
        failed = change.before.exiting
        assert failed is not None
        if change.written_off is not None:
            if not reason.startswith(failed.reason + TOO_LITTLE):
                due = f"{failed.reason}{TOO_LITTLE}..."
                yield Difference(Kind.POSITION, moment, "exit_reason", reason, due)
            return
        found: list[Difference] = []
        for rules in self._rules(change):
            state = self._state(change, rules, moment)
            found = list(_compare(change, moment, exit_again(state, self._ample(change))))
            if not found:
                break
        yield from found

    def _ample(self, change: Change) -> Decimal:
        """A price at which what is left can be sold, if it can at all: at which it was tried is not known."""
        assert change.before.position is not None
        least = self._market.min_cost or Decimal(1)
        with exactly():
            enough = plain(quotient(least, change.before.position.amount) * 2)
        return max(enough, Decimal(1))

    def _rules(self, change: Change) -> list[Rules]:
        """Those it was decided under; of a position that was written off it is not known when, on this machine."""
        if change.order is not None:
            return [self._configurations.at(change.order.created_at).settings.rules]
        return [setup.settings.rules for setup in self._configurations.setups]

    def _state(self, change: Change, rules: Rules, moment: int) -> State:
        setup, conditions = self._configurations.latest, Conditions(now=moment)
        return setup.state(change.before, conditions, rules=rules, market=self._market)


def _told(change: Change) -> tuple[int, str]:
    """When an exit was decided, by the exchange's clock, and why."""
    if change.order is not None:
        return change.order.decided_at, change.order.reason
    assert change.written_off is not None
    assert change.written_off.closed_at is not None
    return change.written_off.closed_at, change.written_off.exit_reason or ""


def _unrounded(limit: Decimal) -> Decimal:
    """A limit that is told in these words: one with all ten digits had more."""
    _, digits, exponent = limit.as_tuple()
    if len(digits) < _DIGITS or not isinstance(exponent, int):
        return limit
    return limit + Decimal(1).scaleb(exponent - 2)


def _compare(change: Change, moment: int, decision: Decision | None) -> Iterator[Difference]:
    if change.order is not None:
        order = None if decision is None else decision.order
        yield from compare_order(change.order, order, moment)
    else:
        _, reason = _told(change)
        due = NOTHING if decision is None else decision.write_off or NOTHING
        if reason != due:
            yield Difference(Kind.POSITION, moment, "exit_reason", reason, due)
