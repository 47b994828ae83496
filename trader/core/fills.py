"""How an order is filled where no exchange does it: on paper, and in a backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.money import ZERO, exactly, floor_to, rounded
from trader.core.order import Side
from trader.core.trade import Trade

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.order import Order


def slipped(price: Decimal, side: Side, slippage: Decimal, price_step: Decimal | None) -> Decimal:
    """A market's price as somebody meets it: worse by the slippage, a ratio, and in the market's steps.

    Both are against whoever trades.
    """
    if price_step is None and slippage == ZERO:
        return price
    with exactly():
        worse = price * (1 + slippage if side is Side.BUY else 1 - slippage)
    if price_step is None:
        return rounded(worse)
    if side is Side.BUY:
        return -floor_to(-worse, price_step)
    return max(floor_to(worse, price_step), price_step)


def whole(order: Order, price: Decimal, fee_rate: Decimal, timestamp: int, where: str) -> Trade:
    """The one trade that fills an order; its fee is a share of the cost, in quote currency.

    `where` begins the trade's id: two places never give the same.
    """
    with exactly():
        fee = order.amount * price * fee_rate
    return Trade(
        exchange_trade_id=f"{where}-{order.client_order_id}-1",
        symbol=order.symbol,
        side=order.side,
        amount=order.amount,
        price=price,
        fee=rounded(fee),
        timestamp=timestamp,
    )
