"""Reads one strategy's books, in one snapshot of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from schema import equity, orders, positions, signals, trades
from trader.core.books import Books, Closed
from trader.core.equity import Marks
from trader.core.money import ZERO, exactly, plain
from trader.core.order import Order, OrderStatus, OrderType, Purpose, Side
from trader.core.position import Position

if TYPE_CHECKING:
    from decimal import Decimal

UNDONE = (OrderStatus.NEW.value, OrderStatus.OPEN.value)
_FAILED = (OrderStatus.REJECTED.value, OrderStatus.CANCELED.value)
_ORDER = (
    orders.c.client_order_id,
    orders.c.symbol,
    orders.c.side,
    orders.c.amount,
    orders.c.reason,
    orders.c.signal_timestamp,
    orders.c.decided_at,
    orders.c.type,
    orders.c.price,
    orders.c.status,
    orders.c.purpose,
    orders.c.reserved,
    orders.c.exchange_order_id,
    orders.c.order_id,
)


def books_of(connection: sa.Connection, strategy_id: str, starting_balance: Decimal) -> Books:
    """The books as written; the balance is in quote currency."""
    position = _open_position(connection, strategy_id)
    failed = [] if position is None else _failed_exits(connection, strategy_id, position)
    return Books(
        cash=_cash(connection, strategy_id, starting_balance, position),
        position=position,
        pending=_pending(connection, strategy_id),
        failed_exits=len(failed),
        exiting=failed[-1] if failed else None,
        last_closed=_last_closed(connection, strategy_id),
    )


def marks_of(connection: sa.Connection, strategy_id: str) -> Marks | None:
    """The equity at the last candle with what its limits count from; None before the first."""
    row = connection.execute(
        sa.select(equity.c.closed_at, equity.c.equity, equity.c.peak, equity.c.opening)
        .where(equity.c.strategy_id == strategy_id)
        .order_by(equity.c.timestamp.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Marks(*row)


def last_signal_of(connection: sa.Connection, strategy_id: str) -> int | None:
    """The open time of the last candle that has its signal."""
    query = sa.select(sa.func.max(signals.c.timestamp)).where(signals.c.strategy_id == strategy_id)
    return connection.execute(query).scalar()


def _open_position(connection: sa.Connection, strategy_id: str) -> Position | None:
    row = connection.execute(
        sa.select(
            positions.c.symbol,
            positions.c.opened_at,
            positions.c.amount,
            positions.c.entry_cost,
            positions.c.average_entry,
            positions.c.realised_profit,
            positions.c.fees,
        ).where(positions.c.strategy_id == strategy_id, positions.c.status == "open")
    ).one_or_none()
    return None if row is None else Position(*row)


def _last_closed(connection: sa.Connection, strategy_id: str) -> Closed | None:
    row = connection.execute(
        sa.select(positions.c.closed_at, positions.c.realised_profit)
        .where(positions.c.strategy_id == strategy_id, positions.c.status == "closed")
        .order_by(positions.c.opened_at.desc(), positions.c.position_id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Closed(*row)


def _cash(
    connection: sa.Connection,
    strategy_id: str,
    starting_balance: Decimal,
    position: Position | None,
) -> Decimal:
    """By the law of `core.position`: starting balance + realised profit - entry cost of what is held."""
    realised = sa.select(positions.c.realised_profit).where(positions.c.strategy_id == strategy_id)
    with exactly():
        total = sum(connection.execute(realised).scalars(), ZERO)
        held = ZERO if position is None else position.entry_cost
        return plain(starting_balance + total - held)


def _pending(connection: sa.Connection, strategy_id: str) -> Order | None:
    query = sa.select(*_ORDER).where(
        orders.c.strategy_id == strategy_id, orders.c.status.in_(UNDONE)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _order(connection, row)


def _failed_exits(connection: sa.Connection, strategy_id: str, position: Position) -> list[Order]:
    """The exits of the open position that were not filled whole, in order."""
    query = (
        sa.select(*_ORDER)
        .where(
            orders.c.strategy_id == strategy_id,
            orders.c.side == Side.SELL.value,
            orders.c.status.in_(_FAILED),
            orders.c.decided_at >= position.opened_at,
        )
        .order_by(orders.c.order_id)
    )
    return [_order(connection, row) for row in connection.execute(query).all()]


def _order(connection: sa.Connection, row: sa.Row[*tuple[Any, ...]]) -> Order:
    """An order with what was traded of it."""
    query = sa.select(trades.c.exchange_trade_id, trades.c.amount).where(
        trades.c.order_id == row.order_id
    )
    traded = connection.execute(query).all()
    with exactly():
        filled = plain(sum((amount for _, amount in traded), ZERO))
    return Order(
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=Side(row.side),
        amount=row.amount,
        reason=row.reason,
        signal_timestamp=row.signal_timestamp,
        decided_at=row.decided_at,
        type=OrderType(row.type),
        price=row.price,
        status=OrderStatus(row.status),
        purpose=Purpose(row.purpose),
        reserved=row.reserved,
        exchange_order_id=row.exchange_order_id,
        filled=filled,
        traded=frozenset(name for name, _ in traded),
    )
