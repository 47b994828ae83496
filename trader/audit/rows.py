"""Rows of orders and trades as the values of the core that they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.order import Order, OrderStatus, OrderType, Purpose, Side
from trader.core.outcome import Outcome
from trader.core.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trader.ledger.written import OrderRow, TradeRow


def order_of(row: OrderRow) -> Order:
    """The order as it was when it was written, before anything came of it."""
    return Order(
        row.client_order_id,
        row.symbol,
        Side(row.side),
        row.amount,
        row.reason,
        row.signal_timestamp,
        row.decided_at,
        OrderType(row.type),
        row.price,
        purpose=Purpose(row.purpose),
        reserved=row.reserved,
    )


def outcomes_of(
    row: OrderRow, trades: Sequence[tuple[TradeRow, Trade]], *, at_once: bool
) -> Iterator[tuple[Sequence[TradeRow], Outcome]]:
    """What came of an order: its end with all trades at once, or trade by trade and then its end."""
    status = OrderStatus(row.status)
    if at_once and status.is_end:
        told = tuple(trade for _, trade in trades)
        yield (
            [trade for trade, _ in trades],
            Outcome(status, told, row.failure, row.exchange_order_id),
        )
        return
    for written, trade in trades:
        yield [written], Outcome(OrderStatus.OPEN, (trade,), None, row.exchange_order_id)
    if status.is_end:
        yield [], Outcome(status, (), row.failure, row.exchange_order_id)


def trade_of(row: TradeRow) -> Trade:
    """The trade; a fee in neither of its currencies is worth what the row says."""
    quote = row.symbol.partition("/")[2]
    return Trade(
        row.exchange_trade_id,
        row.symbol,
        Side(row.side),
        row.amount,
        row.price,
        row.fee,
        row.timestamp,
        None if row.fee_currency == quote else row.fee_currency,
        row.fee_cost,
    )
