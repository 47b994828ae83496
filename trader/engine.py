"""The engine: takes what is new in the market through signal, order, trade and position.

What it knows of the past is what the journal holds; a start and a restart are the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from common.candle import Candle
from common.controls import ControlState
from trader.core.rules import Conditions
from trader.core.step import State, guard, step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.clock import MarketClock
    from common.controls import Control
    from common.partition import Partition
    from trader.core.rules import MarketRules, Rules
    from trader.core.signal import Signal
    from trader.evaluation import Evaluation
    from trader.roles import Broker, Feed, Journal

_AT_ONCE = 50  # candles: a trader that was away stops within a second also while it catches up
_LATE_S = 60.0  # of this machine's time: on a fast practice exchange two candles are nothing
_FRESH = 2  # candles: the first evaluation waits for history that reaches the present


@dataclass(frozen=True, slots=True)
class Progress:
    """How the trader is doing, as its heartbeat says; `more`: there are candles left to evaluate."""

    state: str
    detail: str = ""
    more: bool = False


class Engine:
    """One strategy on one partition."""

    def __init__(
        self,
        *,
        strategy_id: str,
        partition: Partition,
        rules: Rules,
        evaluation: Evaluation,
        feed: Feed,
        broker: Broker,
        journal: Journal,
    ) -> None:
        self._strategy_id = strategy_id
        self._partition = partition
        self._rules = rules
        self._evaluation = evaluation
        self._feed = feed
        self._broker = broker
        self._journal = journal
        self._market: MarketRules | None = None
        self._warm = False
        self._log = structlog.get_logger()
        self.reload()

    def reload(self) -> None:
        """Takes the books from the journal: at the start, and when a write may not have happened."""
        self._books = self._journal.books()
        self._last_signal = self._journal.last_signal()

    @property
    def awaits_fill(self) -> bool:
        """Whether an order is with the broker."""
        return self._books.pending is not None

    def advance(self) -> Progress:
        """Does all that can be done now.

        Raises:
            ConfigurationError: the exchange has no such symbol or timeframe.
            TransientError: the database was not to be had; call `reload` before the next time.
        """
        self._market = self._market or self._feed.market_rules()
        clock = self._feed.clock()
        if self._market is None or clock is None:
            return Progress("waiting", f"for the backfiller to reach {self._partition.exchange}")
        now = _Now(clock, self._market, self._feed.control())
        self._settle()
        # Before the candles: what a strategy cannot digest must not take the stop-loss with it.
        self._guard(now)
        self._settle()
        progress = self._evaluate(now)
        self._settle()
        return progress

    def _evaluate(self, now: _Now) -> Progress:
        newest = self._feed.newest_candle()
        if newest is None or newest != self._last_signal:
            if why := self._why_wait(now.clock, newest):
                return Progress("waiting", why)
            assert newest is not None
            self._decide_on(self._unseen(newest), newest, now)
        detail = now.no_orders or now.no_entries or self._lateness(now.clock, newest)
        return Progress("running", detail, more=(self._last_signal or 0) < (newest or 0))

    def _lateness(self, clock: MarketClock, newest: int | None) -> str:
        """That the candles stay away, for the heartbeat; the words stay the same while they do."""
        due = self._partition.timeframe.newest_closed(clock.now())
        step = self._partition.timeframe.milliseconds
        opened = self._partition.timeframe.close_of(newest or 0)
        if due - (newest or 0) <= _FRESH * step or clock.age_s(opened) < _LATE_S:
            return ""
        when = datetime.fromtimestamp((newest or 0) / 1000, UTC)
        return f"no candle since that of {when:%Y-%m-%d %H:%M} UTC: is the backfiller running?"

    def _why_wait(self, clock: MarketClock, newest: int | None) -> str | None:
        """Why nothing can be evaluated yet; None if it can, and ever after."""
        if self._warm and newest is not None:
            return None
        found = self._feed.count(limit=self._evaluation.warmup)
        if newest is None or found < self._evaluation.warmup:
            return f"{found} of {self._evaluation.warmup} candles"
        length = self._partition.timeframe.milliseconds
        behind = (self._partition.timeframe.newest_closed(clock.now()) - newest) // length
        if self._last_signal is None and behind > _FRESH:
            return f"for {behind} more candles, up to the present"
        self._warm = True
        return None

    def _unseen(self, newest: int) -> list[int]:
        """The open times of the next candles to evaluate, at most _AT_ONCE: at first the newest alone."""
        if self._last_signal is None:
            return [newest]
        length = self._partition.timeframe.milliseconds
        start = self._last_signal + length
        while start <= newest:
            end = start + (_AT_ONCE - 1) * length
            if opened := self._feed.opened_since(start, min(end, newest)):
                return opened
            start = end + length
        return []

    def _decide_on(self, opened: Sequence[int], newest: int, now: _Now) -> None:
        """Evaluates these candles in order. What leads to an order is written with it, at once."""
        if not opened:
            return
        slots = (opened[-1] - opened[0]) // self._partition.timeframe.milliseconds + 1
        candles = self._feed.candles(limit=self._evaluation.warmup - 1 + slots, until=opened[-1])
        fresh = [Candle(*row) for row in candles if row[0] >= opened[0]]
        signals = self._evaluation.signals(candles, len(fresh))
        decided: list[tuple[Signal, str]] = []
        for candle, signal in zip(fresh, signals, strict=True):
            closed = self._partition.timeframe.close_of(candle.timestamp)
            conditions = now.conditions(closed, newest=candle.timestamp == newest)
            decision = step(self._state(now, conditions), candle, signal)
            decided.append((signal, decision.text))
            if decision.order is not None:
                self._journal.record_signals(decided, decision.order)
                self._books = self._books.ordered(decision.order)
                decided = []
            self._log_signal(signal, decision.text)
        if decided:
            self._journal.record_signals(decided)
        self._last_signal = opened[-1]

    def _guard(self, now: _Now) -> None:
        """Lets stop-loss and take-profit see the newest prices."""
        rules = self._rules
        if self._books.position is None or self._books.pending is not None:
            return
        if rules.stop_loss is None and rules.take_profit is None:
            return
        ticker = self._feed.newest_ticker()
        if ticker is None or self._last_signal is None:
            return
        state = self._state(now, now.conditions())
        decision = guard(state, ticker, self._last_signal)
        if decision is not None and decision.order is not None:
            self._journal.record_order(decision.order)
            self._books = self._books.ordered(decision.order)
            self._log.info("guard", reason=decision.order.reason, decision=decision.text)

    def _settle(self) -> None:
        """Takes the pending order one step on, and writes what came of it."""
        order = self._books.pending
        if order is None:
            return
        outcome = self._broker.advance(order, self._books.cash)
        if outcome is None:
            return
        if outcome.trade is None:
            self._journal.record_failure(order, outcome)
            self._books = self._books.failed()
            self._log.warning("order_failed", order=order.client_order_id, reason=outcome.reason)
            return
        settlement = self._books.filled(outcome.trade, order.reason)
        self._journal.record_fill(order, outcome.trade, settlement)
        self._books = settlement.books
        self._log.info(
            "order_filled",
            side=order.side.value,
            amount=outcome.trade.amount,
            price=outcome.trade.price,
            fee=outcome.trade.fee,
            profit=settlement.profit,
        )

    def _state(self, now: _Now, conditions: Conditions) -> State:
        return State(
            strategy_id=self._strategy_id,
            symbol=self._partition.symbol,
            rules=self._rules,
            market=now.market,
            books=self._books,
            conditions=conditions,
        )

    def _log_signal(self, signal: Signal, decision: str) -> None:
        self._log.info(
            "signal",
            candle=signal.timestamp,
            signal=signal.kind.value,
            price=signal.price,
            reason=signal.reason,
            decision=decision,
            **signal.indicators,
        )


@dataclass(frozen=True, slots=True)
class _Now:
    """What one pass goes by."""

    clock: MarketClock
    market: MarketRules
    control: Control

    @property
    def no_orders(self) -> str | None:
        """Why there may be no orders now."""
        return self._because() if self.control.state is ControlState.HALTED else None

    @property
    def no_entries(self) -> str | None:
        """Why there may be no entries now."""
        return self._because() if self.control.state is ControlState.REDUCE_ONLY else None

    def conditions(self, closed: int = 0, *, newest: bool = True) -> Conditions:
        """The conditions of a decision about a candle that closed at `closed`, or about a ticker."""
        return Conditions(
            now=max(self.clock.now(), closed),
            age_s=max(0.0, self.clock.age_s(closed)),
            newest=newest,
            no_orders=self.no_orders,
            no_entries=self.no_entries,
        )

    def _because(self) -> str:
        return f"{self.control.state.value.replace('_', '-')} ({self.control.reason})"
