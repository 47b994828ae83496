"""An order: the intent that is written down before it goes to a broker."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from trader.core.money import ZERO, exactly, plain

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
    """What has become of an order.

    NEW: written down, and not yet known to have been accepted. OPEN: accepted, and it may trade still. The
    others are its end; a CANCELED one may have traded a part.
    """

    NEW = "new"
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"

    @property
    def is_end(self) -> bool:
        """Whether nothing will come of it any more."""
        return self not in {OrderStatus.NEW, OrderStatus.OPEN}


class Purpose(Enum):
    """Why there is an order: part of what makes it the same order after a restart."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP_LOSS = "stop-loss"
    TRAILING_STOP = "trailing-stop"
    TAKE_PROFIT = "take-profit"
    TIME_STOP = "time-stop"


@dataclass(frozen=True, slots=True)
class Order:
    """One intent. The amount is in base currency, the price of a limit order in quote per base.

    `signal_timestamp` is the open time of the candle it was decided at, `decided_at` the exchange's time of
    the decision. `reserved` is what an entry may cost, in quote currency, fee included. `filled` is the part of the
    amount that was traded so far, in the trades with the ids `traded`.
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
    purpose: Purpose = Purpose.ENTRY
    reserved: Decimal = ZERO
    exchange_order_id: str | None = None
    filled: Decimal = ZERO
    traded: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.amount > 0:
            raise ValueError(f"order: expected an amount above 0, found {self.amount}")
        if (self.type is OrderType.LIMIT) != (self.price is not None):
            raise ValueError(
                f"order: expected a price for a limit order alone, found {self.type.value} at {self.price}"
            )

    @property
    def remaining(self) -> Decimal:
        """What has not been traded, in base currency: 0 also where the exchange has given more."""
        with exactly():
            return plain(max(self.amount - self.filled, ZERO))


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
