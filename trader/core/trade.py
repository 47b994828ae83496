"""A trade: one execution of an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trader.core.money import exactly, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.order import Side


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill: amount in base currency, price in quote per base, fee in quote currency.

    `timestamp` is by the exchange's clock.
    """

    exchange_trade_id: str
    symbol: str
    side: Side
    amount: Decimal
    price: Decimal
    fee: Decimal
    timestamp: int

    def __post_init__(self) -> None:
        if not (self.amount > 0 and self.price > 0):
            raise ValueError(
                f"trade: expected amount and price above 0, found {self.amount} at {self.price}"
            )

    @property
    def cost(self) -> Decimal:
        """Amount x price, exact, in quote currency, without the fee."""
        with exactly():
            return plain(self.amount * self.price)

    @property
    def fee_currency(self) -> str:
        """The quote currency."""
        return self.symbol.partition("/")[2]
