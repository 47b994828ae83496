"""An order: the intent that is written down before it goes to a broker."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


class Side(Enum):
    """Which way the base currency goes."""

    BUY = "buy"
    SELL = "sell"


class OrderType(Enum):
    """How the price is made."""

    MARKET = "market"
    LIMIT = "limit"


class OrderStatus(Enum):
    """What has become of an order. NEW: written down, and not yet known to have been accepted."""

    NEW = "new"
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"


class Purpose(Enum):
    """Why there is an order: part of what makes it the same order after a restart."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP_LOSS = "stop-loss"
    TAKE_PROFIT = "take-profit"


@dataclass(frozen=True, slots=True)
class Order:
    """One intent. The amount is in base currency, the price of a limit order in quote per base.

    `signal_timestamp` is the open time of the candle it was decided at, `decided_at` the exchange's time of
    the decision.
    """

    client_order_id: str
    symbol: str
    side: Side
    amount: Decimal
    reason: str
    signal_timestamp: int
    decided_at: int
    type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    status: OrderStatus = OrderStatus.NEW

    def __post_init__(self) -> None:
        if not self.amount > 0:
            raise ValueError(f"order: expected an amount above 0, found {self.amount}")


def client_order_id(
    strategy_id: str, symbol: str, purpose: Purpose, moment: int, attempt: int = 0
) -> str:
    """The name of an order: the same decision has the same name, also after a restart.

    18 characters of [a-z0-9], the most that Kraken takes.

    Args:
        strategy_id: whose order.
        symbol: of which market.
        purpose: why.
        moment: the open time of the candle that was decided at, or when the guarded position was opened.
        attempt: how many orders with this purpose have already failed there.
    """
    identity = "|".join((strategy_id, symbol, purpose.value, str(moment), str(attempt)))
    return "cw" + hashlib.sha256(identity.encode()).hexdigest()[:16]
