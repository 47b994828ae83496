"""After a start or a halt, before any decision: whether the exchange has what the books say, and nothing else of ours."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import structlog

from common.errors import TransientError
from trader.brokers.live.errors import RefusedError
from trader.brokers.live.pause import Pause
from trader.core.money import ZERO, exactly
from trader.roles import NotReconciledYetError, UnexplainedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trader.brokers.live.exchange_account import ExchangeAccount
    from trader.core.books import Books
    from trader.ledger.fleet import Fleet

_LOOKS = 3  # how often something differs before that is believed
_LOOK_AGAIN_S = 2.0  # another strategy's trade may be on its way into its books
# Some exchanges tell a trade's cost, so that its amount is a quotient.
_NEARLY_ALL = Decimal("0.999999999")


class Reconciliation:
    """Of one strategy, which buys and sells the currency `base`; `now` counts the seconds of this machine."""

    def __init__(
        self, account: ExchangeAccount, fleet: Fleet, base: str, now: Callable[[], float]
    ) -> None:
        self._account = account
        self._fleet = fleet
        self._base = base
        self._looks = 0
        self._pause = Pause(now)
        self._log = structlog.get_logger()

    def look(self, books: Books) -> None:
        """Compares books without an order on its way with the exchange.

        Raises:
            NotReconciledYetError: it cannot be told yet, or is to be looked at again.
            UnexplainedError: they differ.
        """
        if self._pause.is_on:
            raise NotReconciledYetError(self._pause.why)
        try:
            self._account.open()
            why = self._unknown_orders() or self._missing_balance(books)
        except (TransientError, RefusedError) as error:
            self._pause.fail(f"the exchange: {error}", getattr(error, "retry_after_s", None))
            self._log.warning("exchange_failed", error=str(error), wait_s=self._pause.left_s)
            raise NotReconciledYetError(self._pause.why) from error
        self._pause.end()
        self._looks = 0 if why is None else self._looks + 1
        if why is None:
            return
        if self._looks >= _LOOKS:
            self._looks = 0
            raise UnexplainedError(why)
        self._pause.begin(why, _LOOK_AGAIN_S)
        raise NotReconciledYetError(why)

    def _unknown_orders(self) -> str | None:
        """Open orders with ids of ours that no strategy of this database has on its way."""
        ours = {name for name in self._account.open_client_order_ids() if name.startswith("cw")}
        unknown = sorted(ours - self._fleet.known_orders(ours))
        return f"open orders that no books have: {', '.join(unknown)}" if unknown else None

    def _missing_balance(self, books: Books) -> str | None:
        """Whether the exchange has less than the positions of all strategies say."""
        held = ZERO if books.position is None else books.position.amount
        with exactly():
            expected = held + self._fleet.held_by_others(self._base)
        if not expected:
            return None
        found = self._account.held(self._base)
        if is_as_much(found, expected):
            return None
        return f"expected {expected:f} {self._base} at the exchange, found {found:f}"


def is_as_much(found: Decimal, expected: Decimal) -> bool:
    """Whether that is all, but for what a quotient was rounded by."""
    return found >= expected * _NEARLY_ALL
