"""Decides anew at each candle, on the signal and under the books as they were written, and compares.

The conditions are ideal: running, the newest candle, just closed. Where the decision as written names another
condition, which a replay cannot know, it is decided under that one, and has to come to the same words.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from common.candle import BadMarketData, Candle
from trader.audit.changes import Why
from trader.audit.conditions import is_capped, named
from trader.audit.difference import NOTHING, Cause, Difference, Kind
from trader.audit.orders import compare_order
from trader.core.decision import Decision, State
from trader.core.equity import reached
from trader.core.order import Side
from trader.core.rules import Conditions
from trader.core.signal import Signal, SignalKind
from trader.core.step import step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trader.audit.changes import Change
    from trader.audit.configuration import Configurations
    from trader.audit.course import Evaluated
    from trader.core.books import Books
    from trader.core.rules import MarketRules, Rules
    from trader.ledger.written import OrderRow, SignalRow


class Decisions:
    """What the core decides, candle by candle.

    `newest` is the open time of the newest candle that is stored; `is_real_time` whether the exchange's clock runs as
    fast as this machine's, so that an entry's age can be told.
    """

    def __init__(
        self,
        configurations: Configurations,
        market: MarketRules,
        changes: Sequence[Change],
        *,
        newest: int,
        is_real_time: bool,
    ) -> None:
        self._configurations = configurations
        self._market = market
        self._newest = newest
        self._is_real_time = is_real_time
        self._orders: dict[int, list[OrderRow]] = defaultdict(list)
        self._written_off: dict[int, str | None] = {}
        for change in changes:
            if change.why is Why.SIGNAL and change.candle is not None:
                if change.order is not None:
                    self._orders[change.candle].append(change.order)
                elif change.written_off is not None:
                    self._written_off[change.candle] = change.written_off.exit_reason

    def compare(self, one: Evaluated, books: Books) -> list[Difference]:
        """The differences of the decision at a candle, and of the order that was written with it."""
        if one.row is None:
            return []
        rules = self._configurations.at(one.row.created_at).settings.rules
        try:
            return list(self._compare(one, one.row, books, rules))
        except BadMarketData as error:
            return [
                Difference(Kind.DECISION, one.timestamp, "price", str(one.row.price), str(error))
            ]

    def without_signal(self, timestamps: set[int]) -> Iterator[Difference]:
        """Orders that name a candle at which nothing was decided."""
        for timestamp, rows in self._orders.items():
            if timestamp not in timestamps:
                for row in rows:
                    yield from compare_order(row, None, timestamp)

    def _compare(
        self, one: Evaluated, row: SignalRow, books: Books, rules: Rules
    ) -> Iterator[Difference]:
        ideal = self._ideal(one, books, rules)
        candle = _candle_of(row)
        signal = Signal(SignalKind(row.signal), one.timestamp, row.price, row.reason)
        decision = step(self._state(books, rules, ideal), candle, signal)
        if decision.text != row.decision:
            found = named(row.decision, ideal)
            told = (Kind.DECISION, one.timestamp, "decision", row.decision, decision.text)
            cause = None
            if found is not None:
                again = step(self._state(books, rules, found[1]), candle, signal)
                if again.text == row.decision and self._is_possible(found[0], one):
                    cause, decision = found[0], again
            elif is_capped(row.decision) and self._may_be_capped(decision, rules):
                cause, decision = Cause.CAP, Decision(row.decision)
            yield Difference(*told, cause)
        yield from self._orders_at(one, decision, rules)

    def _ideal(self, one: Evaluated, books: Books, rules: Rules) -> Conditions:
        """Running, newest and fresh: but for a limit that the equity reaches with this candle."""
        conditions = Conditions(now=one.closed_at)
        if one.before is None:
            return conditions
        equity = books.equity(one.close) if one.marks is None else one.marks.equity
        limit = reached(one.before.after(one.closed_at, equity), rules)
        return (
            conditions
            if limit is None
            else conditions.without_entries(f"reduce-only ({limit.reason})")
        )

    def _state(self, books: Books, rules: Rules, conditions: Conditions) -> State:
        setup = self._configurations.latest
        return setup.state(books, conditions, rules=rules, market=self._market)

    def _is_possible(self, cause: Cause, one: Evaluated) -> bool:
        return cause is not Cause.AWAY or self._newest > one.timestamp

    @staticmethod
    def _may_be_capped(decision: Decision, rules: Rules) -> bool:
        return (
            rules.symbol_cap is not None
            and decision.order is not None
            and decision.order.reserved > 0
        )

    def _orders_at(self, one: Evaluated, decision: Decision, rules: Rules) -> Iterator[Difference]:
        rows = self._orders.get(one.timestamp, [])
        yield from compare_order(rows[0] if rows else None, decision.order, one.timestamp)
        for row in rows[1:]:
            yield from compare_order(row, None, one.timestamp)
        for row in rows:
            if why := self._why_not_then(row, one, rules):
                what = f"order {row.client_order_id} decided_at"
                yield Difference(Kind.ORDER, one.timestamp, what, str(row.decided_at), why)
        if decision.write_off != self._written_off.get(one.timestamp):
            told = self._written_off.get(one.timestamp) or NOTHING
            yield Difference(
                *(Kind.POSITION, one.timestamp, "written off", told, decision.write_off or NOTHING)
            )

    def _why_not_then(self, row: OrderRow, one: Evaluated, rules: Rules) -> str | None:
        """Why an order cannot have been decided on when it says."""
        late_ms = row.decided_at - one.closed_at
        if late_ms < 0:
            return f"not before the candle closed at {one.closed_at}"
        is_entry = row.side == Side.BUY.value
        if self._is_real_time and is_entry and late_ms > rules.max_signal_age_s * 1000:
            return f"not more than {rules.max_signal_age_s:g} s after the candle closed at {one.closed_at}"
        return None


def _candle_of(row: SignalRow) -> Candle:
    """The candle as far as a decision depends on it: its close."""
    return Candle(row.timestamp, row.price, row.price, row.price, row.price, 0.0)
