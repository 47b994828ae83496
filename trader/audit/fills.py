"""Compares trades with what a broker can have told: the order, the price, and on paper the fee."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.audit.difference import Difference, Kind, words
from trader.core.money import exactly, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trader.audit.configuration import Configurations
    from trader.audit.prices import Prices
    from trader.ledger.written import OrderRow, Records, TradeRow


def compare_fills(
    records: Records, configurations: Configurations, prices: Prices, *, is_paper: bool
) -> Iterator[Difference]:
    """The trades that cannot have been: at that price, of that order, or on paper with that fee or time."""
    orders = {row.order_id: row for row in records.orders}
    for trade in records.trades:
        order = orders[trade.order_id]
        is_at_limit = order.price is not None and trade.price == order.price
        if not is_at_limit and prices.why_not(trade.price, trade.timestamp):
            ticker = prices.ticker_at(trade.timestamp)
            if why := prices.why_not(trade.price, trade.timestamp, ticker):
                yield _differ(trade, "price", words(trade.price), why)
        if is_paper:
            yield from _on_paper(trade, order, configurations)


def _on_paper(
    trade: TradeRow, order: OrderRow, configurations: Configurations
) -> Iterator[Difference]:
    """The paper broker fills once, after the decision, and its fee is a share of the cost."""
    settings = configurations.at(order.updated_at).settings
    with exactly():
        fee = trade.amount * trade.price * settings.fee_rate
    due = f"paper-{order.client_order_id}-1"
    if trade.exchange_trade_id != due:
        yield _differ(trade, "exchange_trade_id", trade.exchange_trade_id, due)
    if trade.fee != rounded(fee):
        yield _differ(trade, "fee", words(trade.fee), words(rounded(fee)))
    if trade.timestamp < order.decided_at:
        yield _differ(trade, "timestamp", str(trade.timestamp), f"from {order.decided_at} on")


def _differ(trade: TradeRow, what: str, written: str, replayed: str) -> Difference:
    return Difference(
        Kind.TRADE, trade.timestamp, f"{trade.exchange_trade_id} {what}", written, replayed
    )
