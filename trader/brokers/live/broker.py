"""The live broker: takes written-down orders through an exchange, one step at a time.

An order is sent once. When nobody knows whether it arrived (a timeout, a lost reply, a process that ended), it is
in doubt: it is looked up by its own id before anything else, and only when it could not arrive any more, and was
not found again and again, is it sent once more; an entry only while its signal is young. After that it is followed
by the exchange's id until all its trades are known.

Until a process has sent an order, it looks for each one before: books that were restored from a backup lack what
was sent since, and the same decision has the same id.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from common.errors import TransientError
from trader.brokers.live.errors import NotDoneError, RefusedError, UnclearError, UnknownOrderError
from trader.brokers.live.pause import Pause
from trader.brokers.live.reconciliation import Reconciliation, is_as_much
from trader.core.getting_on import traded
from trader.core.order import OrderStatus, OrderType, Side
from trader.core.outcome import Outcome
from trader.roles import NotReconciledYetError, UnexplainedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from common.clock import MarketClock
    from trader.brokers.live.answers import Seen
    from trader.brokers.live.exchange_account import ExchangeAccount
    from trader.core.books import Books
    from trader.core.order import Order
    from trader.core.trade import Trade
    from trader.ledger.fleet import Fleet

# An order that has not arrived by then is refused, by its recvWindow or its deadline.
ARRIVES_WITHIN_S = 8.0
_AGAIN_AFTER_S = 12.0  # by then the first one is refused, or else the second is the first one again
_LOOKS = 3  # how often an order is not found before that is believed
_LOSSES = 8  # how often an open order is not known any more before that is believed
_TAKE_BACK_AGAIN_S = 10.0
_BACKUP_MS = 30 * 86_400_000  # how far back an order is looked for that books may have lost


@dataclass(slots=True)
class _Doubt:
    """An order that may or may not be at the exchange. Times are monotonic, in seconds."""

    since: float
    why: str
    refused: bool = False
    not_found: int = 0


class LiveBroker:
    """See `roles.Broker`."""

    def __init__(
        self,
        account: ExchangeAccount,
        fleet: Fleet,
        *,
        base: str,
        clock: Callable[[], MarketClock | None],
        order_timeout_s: float,
        max_wait_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes the broker of one strategy.

        Args:
            account: where its orders go.
            fleet: what the other strategies at that exchange hold.
            base: the currency that it buys and sells.
            clock: the exchange's.
            order_timeout_s: after so many seconds an order that is not filled is taken back.
            max_wait_s: an entry is not sent later than so many seconds after its decision.
            now: counts the seconds of this machine.
        """
        self._account = account
        self._clock = clock
        self._order_timeout_s = order_timeout_s
        self._max_wait_s = max_wait_s
        self._now = now
        self._doubts: dict[str, _Doubt] = {}
        self._since: dict[str, float] = {}  # when an open order was first followed
        self._take_back_at = 0.0
        self._losses = 0
        self._has_sent = False
        self._never_sent = ""  # the own id of the order that was looked for last, and is new
        self._trouble = ""
        self._pause = Pause(now)
        self._reconciliation = Reconciliation(account, fleet, base, now)
        self._log = structlog.get_logger()

    @property
    def waits_for(self) -> str:
        """See `roles.Broker`."""
        return self._trouble

    def reconcile(self, books: Books) -> None:
        """See `roles.Broker`."""
        if books.pending is not None:
            self._doubt_what_was_not_acknowledged(books.pending)
            raise NotReconciledYetError(f"order {books.pending.client_order_id} to be settled")
        self._reconciliation.look(books)

    def _doubt_what_was_not_acknowledged(self, order: Order) -> None:
        if order.status is OrderStatus.NEW and order.client_order_id not in self._doubts:
            doubt = _Doubt(self._now(), "written, and not known to have been sent")
            self._doubts[order.client_order_id] = doubt

    def advance(
        self, order: Order, cash: Decimal, *, why_not: Callable[[], str | None]
    ) -> Outcome | None:
        """See `roles.Broker`."""
        del cash  # the exchange knows what there is
        if self._pause.is_on:
            return None
        try:
            self._account.open()
            outcome = self._step(order, why_not)
        except UnknownOrderError as error:
            return self._unknown(order, error)
        except (TransientError, RefusedError) as error:
            self._wait(error)
            return self._renamed(order) if isinstance(error, RefusedError) else None
        self._pause.end()
        self._losses, self._trouble = 0, ""
        if outcome is not None and outcome.status.is_end:
            self._doubts.pop(order.client_order_id, None)
            self._since.pop(order.client_order_id, None)
        return outcome

    def _step(self, order: Order, why_not: Callable[[], str | None]) -> Outcome | None:
        if order.status is OrderStatus.OPEN:
            self._doubts.pop(order.client_order_id, None)
            return self._follow(order)
        doubt = self._doubts.get(order.client_order_id)
        if doubt is not None:
            return self._resolve(order, doubt, why_not)
        if self._may_be_lost(order):
            return self._lost(order)  # if it is none, the next pass sends it, by what holds then
        if self._clock() is None:
            return None
        if why := why_not() or self._why_unwanted(order):
            return Outcome.canceled(f"not sent: {why}")
        return self._send(order)

    def _may_be_lost(self, order: Order) -> bool:
        """Whether the order may have been sent from the books of which these are a backup."""
        return not self._has_sent and self._never_sent != order.client_order_id

    def _lost(self, order: Order) -> Outcome | None:
        """The order as the exchange has it, though these books have never sent it."""
        seen = self._account.lost(order, order.decided_at - _BACKUP_MS)
        if seen is None:
            self._never_sent = order.client_order_id
            return None
        self._log.warning("order_found", order=order.client_order_id, doubt="in no books before")
        return Outcome(OrderStatus.OPEN, exchange_order_id=seen.exchange_order_id)

    def _unknown(self, order: Order, error: UnknownOrderError) -> Outcome | None:
        """The exchange does not know an order that it has acknowledged: perhaps by another id than it said."""
        self._losses += 1
        self._wait(error)
        if renamed := self._renamed(order):
            return renamed
        if self._losses >= _LOSSES:
            raise UnexplainedError(
                f"the exchange does not know order {order.client_order_id} any more, which it had accepted as "
                f"{order.exchange_order_id}"
            )
        return None

    def _renamed(self, order: Order) -> Outcome | None:
        """The order by its own id, where the exchange knows it by another one than it said at first."""
        if order.status is not OrderStatus.OPEN:
            return None
        try:
            seen = self._account.find(order)
        except (TransientError, RefusedError, UnknownOrderError):
            return None
        if seen is None or seen.exchange_order_id == order.exchange_order_id:
            return None
        self._log.warning("order_renamed", order=order.client_order_id)
        return Outcome(OrderStatus.OPEN, exchange_order_id=seen.exchange_order_id)

    def _send(self, order: Order) -> Outcome | None:
        clock = self._clock()
        if clock is None:
            return None
        doubt = _Doubt(self._now(), "sent, no answer yet")
        self._doubts[order.client_order_id] = doubt
        expires_at = clock.now() + int(ARRIVES_WITHIN_S * 1000 * clock.speed)
        try:
            exchange_order_id = self._account.place(order, expires_at)
        except NotDoneError:
            del self._doubts[order.client_order_id]
            raise
        except RefusedError as error:
            doubt.refused, doubt.why = True, str(error)
            return self._resolve(order, doubt, lambda: None)
        except UnclearError as error:
            doubt.why = str(error)
            raise
        self._has_sent = True
        # It stays in doubt until it is read back as open: the write of this may fail.
        doubt.why = "the answer tells no id" if exchange_order_id is None else "acknowledged"
        if exchange_order_id is None:
            return None
        return Outcome(OrderStatus.OPEN, exchange_order_id=exchange_order_id)

    def _resolve(
        self, order: Order, doubt: _Doubt, why_not: Callable[[], str | None]
    ) -> Outcome | None:
        """Finds out what has become of an order that may be at the exchange."""
        seen = self._account.find(order)
        if seen is not None:
            self._log.info("order_found", order=order.client_order_id, doubt=doubt.why)
            return Outcome(OrderStatus.OPEN, exchange_order_id=seen.exchange_order_id)
        if doubt.refused:
            return Outcome.rejected(doubt.why)
        doubt.not_found += 1
        passed_s = self._now() - doubt.since
        why = self._why_unwanted(order) or why_not()
        needed_s = self._account.gone_after_s if why else _AGAIN_AFTER_S
        if passed_s < needed_s or doubt.not_found < _LOOKS:
            self._pause.begin(doubt.why, self._account.look_every_s)
            return None
        if self._may_be_lost(order):
            return self._lost(order)
        self._log.warning("order_never_arrived", order=order.client_order_id, doubt=doubt.why)
        if why:
            return Outcome.rejected(f"it never arrived ({doubt.why}), and is not sent again: {why}")
        return self._send(order)

    def _why_unwanted(self, order: Order) -> str | None:
        """Why it is not to be sent any more: an exit always is, an entry while its signal is young."""
        if order.side is Side.SELL:
            return None
        clock = self._clock()
        age_s = math.inf if clock is None else clock.age_s(order.decided_at)
        return f"it is {age_s:.0f} s old" if age_s > self._max_wait_s else None

    def _follow(self, order: Order) -> Outcome | None:
        """News of an order that the exchange has."""
        seen = self._account.look(order)
        trades = self._new_trades(order, seen)
        if seen.status is OrderStatus.OPEN:
            self._take_back_if_too_old(order)
            return Outcome(OrderStatus.OPEN, trades) if trades else None
        known = order
        for trade in trades:
            known = traded(known, trade)
        if not is_as_much(seen.filled, known.filled):
            raise UnclearError(f"expected trades of {seen.filled:f}, found {known.filled:f}")
        if not is_as_much(known.filled, seen.filled):
            # The trades are told later than the order's end.
            self._pause.begin(f"{known.filled:f} of {seen.filled:f} in trades", 0.5)
            return Outcome(OrderStatus.OPEN, trades) if trades else None
        if seen.status is OrderStatus.CANCELED:
            why = self._why_canceled(order, seen)
            return Outcome(OrderStatus.CANCELED, trades, why)
        return Outcome(OrderStatus.FILLED, trades)

    def _new_trades(self, order: Order, seen: Seen) -> tuple[Trade, ...]:
        if seen.filled == order.filled:
            return ()
        made = self._account.trades(order, seen)
        return tuple(one for one in made if one.exchange_trade_id not in order.traded)

    def _take_back_if_too_old(self, order: Order) -> None:
        """Cancels an order that has rested for too long; the next look tells what came of it."""
        since = self._since.setdefault(order.client_order_id, self._now())
        now = self._now()
        if now - since < self._order_timeout_s or now < self._take_back_at:
            is_market = order.type is OrderType.MARKET
            self._pause.begin("the order rests", 0.5 if is_market else self._account.look_every_s)
            return
        self._take_back_at = now + _TAKE_BACK_AGAIN_S
        try:
            self._account.cancel(order)
        except (RefusedError, UnknownOrderError) as error:  # it has just ended, by itself
            self._log.info("cancel_refused", order=order.client_order_id, error=str(error))

    def _why_canceled(self, order: Order, seen: Seen) -> str:
        rested = self._since.get(order.client_order_id)
        if rested is not None and self._now() - rested >= self._order_timeout_s:
            return f"not filled within {self._order_timeout_s:g} s"
        return f"{seen.raw['status']} by the exchange, {seen.filled:f} of {order.amount:f} filled"

    def _wait(self, error: Exception) -> None:
        self._trouble = str(error)
        self._pause.fail(str(error), getattr(error, "retry_after_s", None))
        self._log.warning("exchange_failed", error=str(error), wait_s=self._pause.left_s)
