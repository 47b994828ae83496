"""What all strategies together hold and have ordered: the one place that looks beyond a strategy's own rows.

It reads, and tells sums: nobody can write another strategy's rows through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from schema import orders, positions, strategy_metadata
from trader.core.money import ZERO, exactly, plain
from trader.core.order import Side
from trader.ledger.reading import UNDONE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from common.database import Database
    from trader.core.order import Order

_OPEN = positions.c.status == "open"
_UNDONE = orders.c.status.in_(UNDONE)


class Fleet:
    """The strategies in live mode at one exchange, as one of them sees the others."""

    def __init__(self, database: Database, strategy_id: str, exchange: str) -> None:
        self._database = database
        self._strategy_id = strategy_id
        self._exchange = exchange

    def held_by_others(self, base: str) -> Decimal:
        """What the other strategies hold of a currency.

        Those with an order on its way are left out: what it trades may not be in their books yet.
        """
        busy = sa.select(orders.c.strategy_id).where(_UNDONE)
        query = sa.select(positions.c.amount).where(
            _OPEN,
            positions.c.symbol.startswith(f"{base}/", autoescape=True),
            positions.c.strategy_id.in_(
                sa.select(strategy_metadata.c.strategy_id).where(
                    strategy_metadata.c.mode == "live",
                    strategy_metadata.c.exchange == self._exchange,
                    strategy_metadata.c.strategy_id != self._strategy_id,
                )
            ),
            positions.c.strategy_id.not_in(busy),
        )
        with self._database.read() as connection, exactly():
            return plain(sum(connection.execute(query).scalars(), ZERO))

    def known_orders(self, client_order_ids: Iterable[str]) -> set[str]:
        """Those of these ids whose order some strategy has on its way."""
        query = sa.select(orders.c.client_order_id).where(
            orders.c.client_order_id.in_(list(client_order_ids)), _UNDONE
        )
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())


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
        positions.c.strategy_id.in_(fleet), positions.c.symbol == order.symbol, _OPEN
    )
    coming = sa.select(orders.c.reserved).where(
        orders.c.strategy_id.in_(fleet),
        orders.c.symbol == order.symbol,
        orders.c.side == Side.BUY.value,
        _UNDONE,
    )
    amounts = [*connection.execute(held).scalars(), *connection.execute(coming).scalars()]
    with exactly():
        total = plain(sum(amounts, ZERO))
        if total + order.reserved <= cap:
            return None
    return (
        f"all strategies hold {total:f} of {order.symbol}, with this stake of {order.reserved:f} "
        f"more than the cap {cap:f}"
    )
