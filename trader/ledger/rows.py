"""The rows of a ledger's tables: values as columns, without the strategy_id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from common.clock import wall_now

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.order import Order
    from trader.core.position import Position
    from trader.core.trade import Trade
    from trader.roles import Evaluated


CHANGES_OF_ORDER = ("status", "exchange_order_id", "failure", "updated_at")
COLUMNS_OF_POSITION = (
    "symbol", "status", "amount", "entry_cost", "average_entry", "realised_profit", "fees", "opened_at",
    "closed_at", "exit_reason", "dust",
)  # fmt: skip


def signal_row(evaluated: Evaluated) -> dict[str, Any]:
    """A row of `signals`."""
    signal = evaluated.signal
    return {
        "timestamp": signal.timestamp,
        "signal": signal.kind.value,
        "price": signal.price,
        "rsi": signal.indicators.get("rsi"),
        "indicators": json.dumps(dict(signal.indicators)),
        "reason": signal.reason,
        "decision": evaluated.decision,
        "created_at": wall_now(),
    }


def equity_row(evaluated: Evaluated) -> dict[str, Any]:
    """A row of `equity`."""
    marks = evaluated.marks
    return {
        "timestamp": evaluated.signal.timestamp,
        "closed_at": marks.closed_at,
        "equity": marks.equity,
        "peak": marks.peak,
        "opening": marks.opening,
    }


def order_row(order: Order) -> dict[str, Any]:
    """A row of `orders`."""
    now = wall_now()
    return {
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "amount": order.amount,
        "price": order.price,
        "status": order.status.value,
        "reason": order.reason,
        "signal_timestamp": order.signal_timestamp,
        "decided_at": order.decided_at,
        "purpose": order.purpose.value,
        "reserved": order.reserved,
        "created_at": now,
        "updated_at": now,
    }


def order_changes(order: Order, failure: str | None) -> dict[str, Any]:
    """The columns of `orders` that news of an order changes."""
    return {
        "status": order.status.value,
        "exchange_order_id": order.exchange_order_id,
        "failure": failure,
        "updated_at": wall_now(),
    }


def trade_row(order_id: int, trade: Trade, profit: Decimal) -> dict[str, Any]:
    """A row of `trades`."""
    return {
        "order_id": order_id,
        "exchange_trade_id": trade.exchange_trade_id,
        "symbol": trade.symbol,
        "side": trade.side.value,
        "amount": trade.amount,
        "price": trade.price,
        "cost": trade.cost,
        "fee": trade.fee,
        "fee_currency": trade.fee_currency,
        "fee_cost": trade.fee_cost,
        "realised_profit": profit,
        "timestamp": trade.timestamp,
    }


def position_row(position: Position) -> dict[str, Any]:
    """A row of `positions`."""
    return {
        "symbol": position.symbol,
        "status": "open" if position.closed_at is None else "closed",
        "amount": position.amount,
        "entry_cost": position.entry_cost,
        "average_entry": position.average_entry,
        "realised_profit": position.realised_profit,
        "fees": position.fees,
        "opened_at": position.opened_at,
        "closed_at": position.closed_at,
        "exit_reason": position.exit_reason,
        "dust": position.dust,
    }
