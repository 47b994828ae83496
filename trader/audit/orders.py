"""Compares an order as it was written with the one that the core decides on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.audit.difference import NOTHING, Difference, Kind, words
from trader.ledger.rows import order_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trader.core.order import Order
    from trader.ledger.written import OrderRow

_DECIDED = (
    "client_order_id", "symbol", "side", "type", "amount", "price", "reason", "signal_timestamp", "purpose",
    "reserved",
)  # fmt: skip


def compare_order(
    row: OrderRow | None, order: Order | None, timestamp: int
) -> Iterator[Difference]:
    """In what an order is not the one that was decided on; or that there is one of the two alone.

    When it was decided is not compared, nor what has become of it.
    """
    if row is None or order is None:
        if row is not None:
            yield Difference(Kind.ORDER, timestamp, "row", _told(row), "no order")
        elif order is not None:
            yield Difference(Kind.ORDER, timestamp, "row", NOTHING, _told(order))
        return
    decided = order_row(order)
    for name in _DECIDED:
        written = getattr(row, name)
        if written != decided[name]:
            what = f"order {row.client_order_id} {name}"
            yield Difference(Kind.ORDER, timestamp, what, words(written), words(decided[name]))


def _told(order: OrderRow | Order) -> str:
    side = order.side if isinstance(order.side, str) else order.side.value
    return f"{side} {order.amount:f} ({order.client_order_id})"
