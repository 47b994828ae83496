"""Books one trade on, whoever ordered it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.order import Order
from trader.core.outcome import Outcome
from trader.core.rules import MarketRules

if TYPE_CHECKING:
    from trader.core.books import Books, Settlement
    from trader.core.trade import Trade

ANYTHING_SELLS = MarketRules()


def booked(
    books: Books, trade: Trade, reason: str = "", market: MarketRules = ANYTHING_SELLS
) -> Settlement:
    """The settlement of an order that this trade fills whole."""
    order = Order("cw1", trade.symbol, trade.side, trade.amount, reason, 0, 0)
    return books.ordered(order).settled(Outcome.filled(trade), market=market, now=trade.timestamp)
