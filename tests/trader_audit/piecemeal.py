"""A broker that fills in parts, and takes fees as an exchange may: in base currency for what is bought."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from trader.brokers.paper import PaperBroker
from trader.core.money import floor_to, rounded
from trader.core.order import OrderStatus, Side
from trader.core.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from trader.core.order import Order

_PARTS = 5
_STEP = Decimal("0.00001")


class Piecemeal(PaperBroker):
    """Fills as the paper broker does, but a fifth at a time; of every third order the last two fifths are canceled."""

    def advance(
        self, order: Order, cash: Decimal, *, why_not: Callable[[], str | None]
    ) -> Outcome | None:
        outcome = super().advance(order, cash, why_not=why_not)
        if outcome is None or not outcome.trades:
            return outcome
        number, fifth = len(order.traded), floor_to(order.amount / _PARTS, _STEP)
        if number == 3 and int(order.client_order_id[2:], 16) % 3 == 0:
            return Outcome.canceled("taken back")
        is_last = number == _PARTS - 1
        amount = order.remaining if is_last else fifth
        price = outcome.trades[0].price
        bought = order.side is Side.BUY
        part = replace(
            outcome.trades[0],
            exchange_trade_id=f"{order.client_order_id}-{number}",
            amount=amount,
            fee=rounded(amount * Decimal("0.001") * (1 if bought else price)),
            paid_in="BTC" if bought else None,
        )
        return Outcome(OrderStatus.FILLED if is_last else OrderStatus.OPEN, (part,))
