"""How an order gets on: what its trades, and the news of it, make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trader.core.money import exactly, plain

if TYPE_CHECKING:
    from trader.core.order import Order
    from trader.core.outcome import Outcome
    from trader.core.trade import Trade


def told(order: Order, outcome: Outcome) -> Order:
    """The order with that news, but for its trades."""
    known = outcome.exchange_order_id or order.exchange_order_id
    return replace(order, status=outcome.status, exchange_order_id=known)


def traded(order: Order, trade: Trade) -> Order:
    """The order after one more of its trades.

    Raises:
        ValueError: it is another order's, or counted already.
    """
    is_its = (trade.symbol, trade.side) == (order.symbol, order.side)
    if not is_its or trade.exchange_trade_id in order.traded:
        raise ValueError(f"order: expected a new trade of {order}, found {trade}")
    with exactly():
        filled = plain(order.filled + trade.amount)
    return replace(order, filled=filled, traded=order.traded | {trade.exchange_trade_id})
