"""A trade: one execution of an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trader.core.money import ZERO, exactly, plain
from trader.core.order import Side

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill: amount in base currency, price in quote per base. `timestamp` is by the exchange's clock.

    The fee may be in quote currency (`paid_in` None), in base currency, or in a third one; then `fee_value`
    says what it was worth in quote currency at that moment.
    """

    exchange_trade_id: str
    symbol: str
    side: Side
    amount: Decimal
    price: Decimal
    fee: Decimal
    timestamp: int
    paid_in: str | None = None
    fee_value: Decimal | None = None

    def __post_init__(self) -> None:
        if not (self.amount > 0 and self.price > 0):
            raise ValueError(
                f"trade: expected amount and price above 0, found {self.amount} at {self.price}"
            )
        if self._is_third and self.fee_value is None:
            raise ValueError(
                f"trade: expected what a fee in {self.paid_in} is worth in quote currency, found none"
            )
        if self.side is Side.BUY and self.base_change <= 0:
            raise ValueError(f"trade: expected a fee below the amount bought, found {self.fee}")

    @property
    def cost(self) -> Decimal:
        """Amount x price, exact, in quote currency, without the fee."""
        with exactly():
            return plain(self.amount * self.price)

    @property
    def fee_currency(self) -> str:
        """The currency the fee was paid in."""
        return self.paid_in or self.symbol.partition("/")[2]

    @property
    def fee_cost(self) -> Decimal:
        """The fee in quote currency: as it is, at the trade's own price, or as it was valued."""
        if self._is_base:
            with exactly():
                return plain(self.fee * self.price)
        if self._is_third:
            assert self.fee_value is not None
            return self.fee_value
        return self.fee

    @property
    def base_change(self) -> Decimal:
        """By how much this changes what is held, a fee in base currency included; below 0 for a sell."""
        fee = self.fee if self._is_base else ZERO
        with exactly():
            return plain(self.amount - fee if self.side is Side.BUY else -self.amount - fee)

    @property
    def quote_change(self) -> Decimal:
        """By how much this changes the cash, fees but those in base currency included; below 0 for a buy.

        A fee in a third currency counts with its value: as if that currency had been bought for it.
        """
        fee = ZERO if self._is_base else self.fee_cost
        with exactly():
            cost = self.amount * self.price
            return plain(-cost - fee if self.side is Side.BUY else cost - fee)

    @property
    def _is_base(self) -> bool:
        return self.paid_in is not None and self.paid_in == self.symbol.partition("/")[0]

    @property
    def _is_third(self) -> bool:
        return self.paid_in is not None and self.paid_in not in self.symbol.split("/")
