"""What Kraken tells of orders and trades, as its clients see it on the wire."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from practice.ids import kraken_id_of
from practice.kraken.names import pair_of
from practice.kraken.wire import text_of
from practice.orders import ZERO, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from practice.markets import Market
    from practice.orders import Fill, Order, Ticket

_STATUS = {
    Status.OPEN: "open",
    Status.FILLED: "closed",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "canceled",
}


def description_of(ticket: Ticket) -> str:
    """The order in words, such as "buy 0.021 ETHUSDT @ limit 330"."""
    pair = pair_of(ticket.symbol).short
    words = f"{ticket.side} {text_of(ticket.cost or ticket.amount)} {pair} @"
    return (
        f"{words} market"
        if ticket.kind is Kind.MARKET
        else f"{words} limit {text_of(ticket.price)}"
    )


def order_form(order: Order, market: Market, fills: Sequence[Fill] | None) -> dict[str, Any]:
    """An order as it stands now; with the ids of its trades, where they are asked for.

    Its cost and its average price are cut to the pair's decimals: only its trades are exact.
    """
    ticket = order.ticket
    average = order.cost / order.filled if order.filled else ZERO
    form: dict[str, Any] = {
        "refid": None,
        "userref": None,
        **({"cl_ord_id": ticket.client_order_id} if ticket.client_order_id else {}),
        "status": _STATUS[order.status],
        "opentm": order.created_ms / 1000,
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": pair_of(ticket.symbol).short,
            "type": ticket.side.value,
            "ordertype": "market" if ticket.kind is Kind.MARKET else "limit",
            "price": text_of(ticket.price),
            "price2": "0",
            "leverage": "none",
            "order": description_of(ticket),
            "close": "",
        },
        "vol": text_of(order.amount),
        "vol_exec": text_of(order.filled),
        "cost": text_of(_cut(order.cost, market)),
        "fee": text_of(order.fee),
        "price": text_of(_cut(average, market)),
        "stopprice": "0",
        "limitprice": "0",
        "misc": "partial" if order.filled and order.remaining else "",
        "oflags": _flags(order),
    }
    if order.status is not Status.OPEN:
        form["closetm"] = order.updated_ms / 1000
        form["reason"] = "User requested" if order.status is Status.CANCELED else None
    if fills is not None:
        form["trades"] = [kraken_id_of("T", fill.fill_id) for fill in fills]
    return form


def trade_form(fill: Fill, order: Order) -> dict[str, Any]:
    """An execution of that order. It does not say what its fee was taken in."""
    return {
        "ordertxid": kraken_id_of("O", fill.order_id),
        "postxid": kraken_id_of("P", fill.fill_id),
        "pair": pair_of(fill.symbol).name,
        "time": fill.timestamp_ms / 1000,
        "type": fill.side.value,
        "ordertype": "market" if order.ticket.kind is Kind.MARKET else "limit",
        "price": text_of(fill.price),
        "cost": text_of(fill.cost),
        "fee": text_of(fill.fee),
        "vol": text_of(fill.amount),
        "margin": "0",
        "leverage": "0",
        "misc": "",
        "trade_id": fill.fill_id,
        "maker": fill.is_maker,
    }


def _flags(order: Order) -> str:
    ticket = order.ticket
    fee = "fciq" if ticket.symbol.endswith(f"/{order.fee_currency}") else "fcib"
    post = ["post"] if ticket.kind is Kind.LIMIT_MAKER else []
    return ",".join([fee, *post, *(["viqc"] if ticket.cost else [])])


def _cut(number: Decimal, market: Market) -> Decimal:
    return number.quantize(market.tick, rounding=ROUND_DOWN)
