"""What Coinbase tells of balances, orders and trades, as its clients see it on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from practice.coinbase.tickets import configuration_of
from practice.coinbase.wire import iso, text_of
from practice.ids import uuid_of
from practice.orders import ZERO, Kind, Side, Status, TimeInForce

if TYPE_CHECKING:
    from practice.orders import Fill, Order

_FIAT = {"EUR", "GBP", "USD"}
_AVERAGE_STEP = Decimal("1e-16")
_OPENED = "2023-01-04T06:20:06.456Z"
_STATUS = {
    Status.OPEN: "OPEN",
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELLED",
    Status.EXPIRED: "CANCELLED",
}
_TIME_IN_FORCE = {
    TimeInForce.REST: "GOOD_UNTIL_CANCELLED",
    TimeInForce.EXPIRE: "IMMEDIATE_OR_CANCEL",
    TimeInForce.ALL_OR_NOTHING: "FILL_OR_KILL",
}


def product_of(symbol: str) -> str:
    """Coinbase's name of that market."""
    return symbol.replace("/", "-")


def account_form(account: str, currency: str, free: Decimal, locked: Decimal) -> dict[str, Any]:
    """One balance: what can be spent, and what is held for open orders."""
    return {
        "uuid": str(uuid5(NAMESPACE_URL, f"{account}/{currency}")),
        "name": f"{currency} Wallet",
        "currency": currency,
        "available_balance": {"value": text_of(free), "currency": currency},
        "default": True,
        "active": True,
        "created_at": _OPENED,
        "updated_at": _OPENED,
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if currency in _FIAT else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": text_of(locked), "currency": currency},
    }


def wallet_form(account: str, currency: str, free: Decimal, locked: Decimal) -> dict[str, Any]:
    """One balance as the older API tells it: held or not, all in one."""
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{account}/{currency}")),
        "name": f"{currency} Wallet",
        "primary": False,
        "type": "fiat" if currency in _FIAT else "wallet",
        "currency": {"code": currency, "name": currency},
        "balance": {"amount": text_of(free + locked), "currency": currency},
        "created_at": _OPENED,
        "updated_at": _OPENED,
        "resource": "account",
    }


def placed_form(order: Order) -> dict[str, Any]:
    """The reply to a new order. It says nothing of its status, nor of what it traded."""
    ticket, order_id = order.ticket, uuid_of("order", order.order_id)
    return {
        "success": True,
        "failure_reason": "UNKNOWN_FAILURE_REASON",
        "order_id": order_id,
        "success_response": {
            "order_id": order_id,
            "product_id": product_of(ticket.symbol),
            "side": ticket.side.name,
            "client_order_id": ticket.client_order_id,
        },
        "order_configuration": configuration_of(ticket),
    }


def order_form(order: Order, fills: int) -> dict[str, Any]:
    """An order as it stands now, of which there were so many executions."""
    ticket = order.ticket
    average = order.cost / order.filled if order.filled else ZERO
    share = 100 * order.filled / order.amount if order.amount else ZERO
    is_market = ticket.kind is Kind.MARKET
    fee = order.fee if ticket.side is Side.BUY else -order.fee
    return {
        "order_id": uuid_of("order", order.order_id),
        "product_id": product_of(ticket.symbol),
        "user_id": str(uuid5(NAMESPACE_URL, order.account)),
        "order_configuration": configuration_of(ticket),
        "side": ticket.side.name,
        "client_order_id": ticket.client_order_id,
        "status": _STATUS[order.status],
        "time_in_force": _TIME_IN_FORCE[TimeInForce.EXPIRE if is_market else ticket.time_in_force],
        "created_time": iso(order.created_ms),
        "last_fill_time": iso(order.updated_ms) if order.filled else None,
        "completion_percentage": f"{share:.2f}",
        "filled_size": text_of(order.filled),
        "average_filled_price": text_of(average.quantize(_AVERAGE_STEP)),
        "fee": "",
        "number_of_fills": str(fills),
        "filled_value": text_of(order.cost),
        "pending_cancel": False,
        "size_in_quote": bool(ticket.cost),
        "total_fees": text_of(order.fee),
        "size_inclusive_of_fees": bool(ticket.cost),
        "total_value_after_fees": text_of(order.cost + fee),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "MARKET" if is_market else "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": order.status is not Status.OPEN,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "User requested cancel" if order.status is Status.CANCELED else "",
    }


def fill_form(fill: Fill, *, in_quote: bool) -> dict[str, Any]:
    """An execution; of an order for a cost, the size is in quote currency too."""
    trade_id = uuid_of("trade", fill.fill_id)
    return {
        "entry_id": trade_id.replace("-", ""),
        "trade_id": trade_id,
        "order_id": uuid_of("order", fill.order_id),
        "trade_time": iso(fill.timestamp_ms),
        "trade_type": "FILL",
        "price": text_of(fill.price),
        "size": text_of(fill.cost if in_quote else fill.amount),
        "commission": text_of(fill.fee),
        "product_id": product_of(fill.symbol),
        "sequence_timestamp": iso(fill.timestamp_ms),
        "liquidity_indicator": "MAKER" if fill.is_maker else "TAKER",
        "size_in_quote": in_quote,
        "user_id": str(uuid5(NAMESPACE_URL, fill.account)),
        "side": fill.side.name,
    }
