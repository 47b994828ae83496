"""A strategy's account: its books, what is on its way at the broker, and the journal that both are written to."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from trader.core.decision import State
from trader.core.guard import guard
from trader.core.money import from_price
from trader.core.order import Side
from trader.core.step import exit_again
from trader.roles import NotReconciledYetError, UnexplainedError

if TYPE_CHECKING:
    from decimal import Decimal

    from common.candle import Ticker
    from common.partition import Partition
    from trader.core.books import Settlement
    from trader.core.decision import Decision
    from trader.core.order import Order
    from trader.core.outcome import Outcome
    from trader.core.rules import Conditions, Rules
    from trader.moment import Moment
    from trader.roles import Broker, Feed, Journal

_AGAIN_S, _AGAIN_MOST_S = 1.0, 300.0  # how long an exit waits that the broker has refused


class Account:
    """What one strategy holds and has ordered. Each change is written before it counts."""

    def __init__(
        self,
        strategy_id: str,
        partition: Partition,
        rules: Rules,
        *,
        feed: Feed,
        broker: Broker,
        journal: Journal,
    ) -> None:
        self._strategy_id = strategy_id
        self._partition = partition
        self._rules = rules
        self._feed = feed
        self._broker = broker
        self._journal = journal
        self.is_reconciled = self._was_halted = False
        self._from_before_halt = ""  # the own id of the order that was on its way during a halt
        self._again_at = 0.0
        self._log = structlog.get_logger()
        self.reload()

    def reload(self) -> None:
        """Takes the books from the journal: at the start, and when a write may not have happened."""
        self.books = self._journal.books()

    def notice_halt(self, now: Moment) -> None:
        """Has the books compared again after a halt, in which a person may have traded, before anything is sent."""
        is_halted = now.no_orders is not None
        if is_halted and self.books.pending is not None:
            self._from_before_halt = self.books.pending.client_order_id
        if self._was_halted and not is_halted:
            self.is_reconciled = False
        self._was_halted = is_halted

    def reconcile(self, now: Moment) -> str | None:
        """Compares the books with the broker's knowledge; what is waited for still, if anything.

        What cannot be explained halts the strategy.
        """
        try:
            self._broker.reconcile(self.books)
        except NotReconciledYetError as error:
            self.settle(now)
            return str(error)
        except UnexplainedError as error:
            if now.no_orders is not None:
                # It stays halted for the reason that it has, and is compared again after that.
                self._log.warning("not_reconciled", reason=str(error))
            self._halt(f"not reconciled: {error}", now)
        self.is_reconciled = True
        return None

    def state(self, now: Moment, conditions: Conditions) -> State:
        """What a decision depends on."""
        return State(
            strategy_id=self._strategy_id,
            symbol=self._partition.symbol,
            length=self._partition.timeframe.milliseconds,
            rules=self._rules,
            market=now.market,
            books=self.books,
            conditions=conditions,
        )

    def settle(self, now: Moment) -> None:
        """Takes the pending order one step on, and writes what came of it."""
        order = self.books.pending
        if order is None:
            return
        try:
            outcome = self._broker.advance(
                order, self.books.cash, why_not=lambda: self._why_not_send(order, now)
            )
        except UnexplainedError as error:
            self._halt(str(error), now)
            return
        if outcome is None:
            return
        settlement = self.books.settled(outcome, market=now.market, now=now.clock.now())
        self._journal.record_outcome(order, outcome, settlement)
        self.books = settlement.books
        self._note(order, outcome, settlement)

    def _why_not_send(self, order: Order, now: Moment) -> str | None:
        """Why that order may not be sent, by the switches as they are at this instant."""
        if order.client_order_id == self._from_before_halt:
            return now.no_orders or "it was decided on before a halt"
        at_once = replace(now, control=self._feed.control(now.clock.now()))
        return at_once.no_orders or (at_once.no_entries if order.side is Side.BUY else None)

    def protect(self, now: Moment, last_signal: int) -> None:
        """Lets what an exit has left over be sold, and the limits see the newest prices.

        `last_signal` is the open time of the last candle that was evaluated.
        """
        if self.books.position is None or self.books.pending is not None:
            return
        ticker = self._feed.newest_ticker()
        if ticker is None:
            return
        state = self.state(now, now.conditions())
        if self.books.exiting is not None:
            price = from_price(ticker.last if ticker.bid is None else ticker.bid)
            decision = exit_again(state, price) if time.monotonic() >= self._again_at else None
        elif self._rules.guards_price:
            decision = guard(state, ticker, last_signal, self._highest(ticker))
        else:
            return
        if decision is not None:
            self._carry_out(decision, now)

    @property
    def waits_for(self) -> str:
        """What keeps the pending order from getting on; empty where nothing does."""
        return self._broker.waits_for if self.books.pending is not None else ""

    def ordered(self, order: Order) -> None:
        """An order that was written with the signals that led to it."""
        self.books = self.books.ordered(order)

    def took(self, settlement: Settlement) -> None:
        """A position was written off, which was written with the signals that led to it."""
        self.books = settlement.books

    def _halt(self, reason: str, now: Moment) -> None:
        if now.no_orders is None:
            self._journal.record_halt(reason, now.clock.now())
            self._was_halted = True  # also if it is resumed before the next pass
            self._log.error("halted", reason=reason)

    def _highest(self, ticker: Ticker) -> Decimal | None:
        """The highest price from the entry up to that ticker, for the trailing stop.

        What came after it counts with the next one: candles may go on while tickers stay away, and an old price
        below a stop that has followed newer ones has not reached it.
        """
        position = self.books.position
        if position is None or self._rules.trailing_stop is None:
            return None
        found = self._feed.highest_between(position.opened_at, ticker.timestamp)
        return None if found is None else from_price(found)

    def _carry_out(self, decision: Decision, now: Moment) -> None:
        if decision.write_off is not None:
            settlement = self.books.written_off(now.clock.now(), decision.write_off)
            assert settlement.position is not None
            self._journal.record_write_off(settlement.position)
            self.books = settlement.books
            self._log.warning("written_off", reason=decision.write_off)
        elif decision.order is not None:
            self._journal.record_order(decision.order)
            self.books = self.books.ordered(decision.order)
            self._log.info("exit", reason=decision.order.reason, decision=decision.text)

    def _note(self, order: Order, outcome: Outcome, settlement: Settlement) -> None:
        """Logs what came of an order; and has a refused exit wait before it is tried again."""
        for trade, profit in settlement.booked:
            self._log.info(
                "order_filled",
                side=order.side.value,
                amount=trade.amount,
                price=trade.price,
                fee=trade.fee,
                fee_currency=trade.fee_currency,
                profit=profit,
            )
        if not outcome.failure:
            return
        self._log.warning("order_failed", order=order.client_order_id, reason=outcome.failure)
        if settlement.books.exiting is not None and not outcome.trades:
            tries = settlement.books.failed_exits - 1  # the first one is tried again at once
            wait_s = min(_AGAIN_S * 2.0**tries, _AGAIN_MOST_S) if tries else 0.0
            self._again_at = time.monotonic() + wait_s
