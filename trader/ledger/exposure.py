"""What all strategies together hold of one symbol: the one place that looks beyond a strategy's own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from schema import orders, positions, strategy_metadata
from trader.core.money import ZERO, exactly, plain
from trader.core.order import Side
from trader.ledger.reading import UNDONE

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.order import Order


def why_over_cap(
    connection: sa.Connection, strategy_id: str, order: Order, cap: Decimal
) -> str | None:
    """Why an entry would exceed what the fleet may hold of its symbol; None if it would not.

    Counted are open positions at their entry cost and entries on their way at what they may cost, of the
    strategies in the same mode. Asked in the transaction that writes the order, the answer holds: two
    traders cannot both pass.
    """
    mode = sa.select(strategy_metadata.c.mode).where(strategy_metadata.c.strategy_id == strategy_id)
    fleet = sa.select(strategy_metadata.c.strategy_id).where(
        strategy_metadata.c.mode == mode.scalar_subquery()
    )
    held = sa.select(positions.c.entry_cost).where(
        positions.c.strategy_id.in_(fleet),
        positions.c.symbol == order.symbol,
        positions.c.status == "open",
    )
    coming = sa.select(orders.c.reserved).where(
        orders.c.strategy_id.in_(fleet),
        orders.c.symbol == order.symbol,
        orders.c.side == Side.BUY.value,
        orders.c.status.in_(UNDONE),
    )
    with exactly():
        total = sum(
            (*connection.execute(held).scalars(), *connection.execute(coming).scalars()), ZERO
        )
        if plain(total + order.reserved) <= cap:
            return None
    return (
        f"all strategies hold {plain(total):f} of {order.symbol}, with this stake of {order.reserved:f} "
        f"more than the cap {cap:f}"
    )
