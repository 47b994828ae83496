"""News of an order, as a broker tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trader.core.order import OrderStatus

if TYPE_CHECKING:
    from trader.core.trade import Trade


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of an order, with the trades that were not known before, oldest first.

    `failure` says why it came to nothing, or to less than was asked for.
    """

    status: OrderStatus
    trades: tuple[Trade, ...] = ()
    failure: str | None = None
    exchange_order_id: str | None = None

    @classmethod
    def filled(cls, trade: Trade) -> Outcome:
        """The whole order was executed in one trade."""
        return cls(OrderStatus.FILLED, (trade,))

    @classmethod
    def rejected(cls, why: str) -> Outcome:
        """Nothing was executed, and nothing will be."""
        return cls(OrderStatus.REJECTED, failure=why)

    @classmethod
    def canceled(cls, why: str) -> Outcome:
        """Nothing more will be executed."""
        return cls(OrderStatus.CANCELED, failure=why)
