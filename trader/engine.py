"""The engine: takes what is new in the market through signal, order, trade and position.

What it knows of the past is what the journal holds; a start and a restart are the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from common.candle import Candle
from trader.account import Account
from trader.core.equity import reached
from trader.core.step import step
from trader.moment import Moment
from trader.readiness import Readiness
from trader.roles import Evaluated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.partition import Partition
    from trader.core.decision import Decision
    from trader.core.equity import Reached
    from trader.core.rules import MarketRules, Rules
    from trader.core.signal import Signal
    from trader.evaluation import Evaluation
    from trader.roles import Broker, Feed, Journal

_AT_ONCE = 50  # candles: a trader that was away stops within a second also while it catches up
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How the trader is doing, as its heartbeat says; `more`: there are candles left to evaluate.

    `newest` and `evaluated` are the open times of the newest candle and of the last one with a signal.
    """

    state: str
    detail: str = ""
    more: bool = False
    newest: int | None = None
    evaluated: int | None = None


class Engine:
    """One strategy on one partition. `keep_holds_ms` is for how long candles that were held at are kept."""

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
        keep_holds_ms: int | None = None,
    ) -> None:
        self._partition = partition
        self._rules = rules
        self._evaluation = evaluation
        self._feed = feed
        self._journal = journal
        self._keep_holds_ms = keep_holds_ms
        self._forgotten = 0
        self._market: MarketRules | None = None
        self._readiness = Readiness(feed, partition.timeframe, evaluation.warmup)
        self._account = Account(
            strategy_id, partition, rules, feed=feed, broker=broker, journal=journal
        )
        self._log = structlog.get_logger()
        self._last_signal = journal.last_signal()
        self._marks = journal.marks()

    def reload(self) -> None:
        """Takes everything from the journal again: when a write may not have happened."""
        self._account.reload()
        self._last_signal = self._journal.last_signal()
        self._marks = self._journal.marks()

    @property
    def awaits_fill(self) -> bool:
        """Whether an order is with the broker."""
        return self._account.books.pending is not None

    def advance(self) -> Progress:
        """Does all that can be done now.

        Raises:
            ConfigurationError: the exchange has no such symbol or timeframe.
            TransientError: the database was not to be had; call `reload` before the next time.
        """
        now = self._moment()
        if now is None:
            return Progress("waiting", f"for the backfiller to reach {self._partition.exchange}")
        self._account.notice_halt(now)
        if not self._account.is_reconciled:
            if why := self._account.reconcile(now):
                return Progress("waiting", why)
            now = self._later(now)  # the strategy may have been halted
        now = self._settle(now)
        # Before the candles: what a strategy cannot digest must not take the stop-loss with it.
        if self._last_signal is not None:
            self._account.protect(now, self._last_signal)
        now = self._settle(now)
        progress = self._evaluate(now)
        self._account.settle(now)
        self._forget(now)
        return progress

    def _settle(self, now: Moment) -> Moment:
        """Takes the pending order on; the moment after that, since an exchange may take its time to answer."""
        if not self.awaits_fill:
            return now
        self._account.settle(now)
        return self._later(now)

    def _later(self, now: Moment) -> Moment:
        """The moment after what may have taken its time. A pass that began halted stays so: a comparison comes first."""
        later = self._moment()
        return now if later is None or now.no_orders is not None else later

    def _moment(self) -> Moment | None:
        """What this pass goes by; None while the exchange is not known."""
        self._market = self._market or self._feed.market_rules()
        clock = self._feed.clock()
        if self._market is None or clock is None:
            return None
        return Moment(clock, self._market, self._feed.control(clock.now()))

    def _evaluate(self, now: Moment) -> Progress:
        newest = self._feed.newest_candle()
        if newest is None or newest != self._last_signal:
            if why := self._readiness.why_wait(now.clock, newest, self._last_signal):
                return Progress("waiting", why)
            assert newest is not None
            self._decide_on(self._unseen(newest), newest, now)
        detail = (
            now.no_orders
            or self._account.waits_for
            or now.no_entries
            or self._readiness.lateness(now.clock, newest)
        )
        more = (self._last_signal or 0) < (newest or 0)
        return Progress("running", detail, more, newest, self._last_signal)

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

    def _decide_on(self, opened: Sequence[int], newest: int, now: Moment) -> None:
        """Evaluates these candles in order. What a decision leads to is written with it, at once."""
        if not opened:
            return
        slots = (opened[-1] - opened[0]) // self._partition.timeframe.milliseconds + 1
        candles = self._feed.candles(limit=self._evaluation.warmup - 1 + slots, until=opened[-1])
        fresh = [Candle(*row) for row in candles if row[0] >= opened[0]]
        signals = self._evaluation.signals(candles, len(fresh))
        waiting: list[Evaluated] = []
        for candle, signal in zip(fresh, signals, strict=True):
            limit, decision = self._decide(
                candle, signal, now, is_newest=candle.timestamp == newest
            )
            waiting.append(Evaluated(signal, decision.text, self._marks))
            if limit is not None or decision.order is not None or decision.write_off is not None:
                self._write(waiting, decision, limit, now)
                self._log_signals(waiting)
                waiting = []
                now = self._later(now)
        if waiting:
            self._journal.record_signals(waiting)
            self._log_signals(waiting)
        self._last_signal = opened[-1]

    def _decide(
        self, candle: Candle, signal: Signal, now: Moment, *, is_newest: bool
    ) -> tuple[Reached | None, Decision]:
        """The limit that the equity has reached with this candle, and what to do about its signal."""
        closed = self._partition.timeframe.close_of(candle.timestamp)
        self._marks = self._marks.after(closed, self._account.books.equity(candle.close))
        limit = reached(self._marks, self._rules)
        conditions = now.conditions(closed, newest=is_newest)
        if limit is not None:
            self._marks = self._marks.counted_anew()
            conditions = conditions.without_entries(f"reduce-only ({limit.reason})")
        return limit, step(self._account.state(now, conditions), candle, signal)

    def _write(
        self, evaluated: Sequence[Evaluated], decision: Decision, limit: Reached | None, now: Moment
    ) -> None:
        """Writes signals with what was decided at the last of them."""
        written_off = None
        if decision.write_off is not None:
            written_off = self._account.books.written_off(now.clock.now(), decision.write_off)
        why = self._journal.record_signals(
            evaluated,
            decision.order,
            reached=limit,
            written_off=written_off.position if written_off else None,
        )
        if decision.order is not None and why is None:
            self._account.ordered(decision.order)
        if written_off is not None:
            self._account.took(written_off)
        for reason in filter(None, (why, limit and limit.reason)):
            self._log.warning("no_entries", reason=reason)

    def _forget(self, now: Moment) -> None:
        """Once a day of the market's: drops what was held at long ago."""
        day = now.clock.now() // _DAY_MS
        if self._keep_holds_ms is not None and day > self._forgotten:
            self._forgotten = day
            self._journal.forget(day * _DAY_MS - self._keep_holds_ms)

    def _log_signals(self, written: Sequence[Evaluated]) -> None:
        """Logs what is committed: a signal that the log tells of is in the database."""
        for one in written:
            self._log.info(
                "signal",
                candle=one.signal.timestamp,
                signal=one.signal.kind.value,
                price=one.signal.price,
                reason=one.signal.reason,
                decision=one.decision,
                indicators=dict(one.signal.indicators),
            )
