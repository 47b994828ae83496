"""One strategy's ledger: the SQL of `signals`, `orders`, `trades` and `positions`.

A `Ledger` is made for one strategy_id and takes none in its methods, so code that holds it cannot name the
rows of another strategy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.clock import wall_now
from schema import orders, positions, signals, trades
from trader.core.books import Books
from trader.core.money import ZERO, exactly, plain
from trader.core.order import Order, OrderStatus, OrderType, Side
from trader.core.position import Position

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from common.database import Database
    from trader.core.books import Settlement
    from trader.core.signal import Signal
    from trader.core.trade import Trade
    from trader.roles import Outcome

_UNDONE = (OrderStatus.NEW.value, OrderStatus.OPEN.value)
_FAILED = (OrderStatus.REJECTED.value, OrderStatus.CANCELED.value)


class Ledger:
    """See `roles.Journal`. The starting balance is in quote currency."""

    def __init__(self, database: Database, strategy_id: str, starting_balance: Decimal) -> None:
        self._database = database
        self._strategy_id = strategy_id
        self._starting_balance = starting_balance

    def books(self) -> Books:
        """See `roles.Journal`: from one snapshot of the database."""
        with self._database.read() as connection:
            position = self._open_position(connection)
            return Books(
                cash=self._cash(connection, position),
                position=position,
                pending=self._pending(connection),
                failed_exits=self._failed_exits(connection, position),
            )

    def last_signal(self) -> int | None:
        """See `roles.Journal`."""
        query = sa.select(sa.func.max(signals.c.timestamp)).where(self._ours(signals))
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def record_signals(
        self, decided: Sequence[tuple[Signal, str]], order: Order | None = None
    ) -> None:
        """See `roles.Journal`."""
        rows = [self._signal_row(signal, decision) for signal, decision in decided]
        with self._database.write() as connection:
            connection.execute(sa.insert(signals), rows)
            if order is not None:
                connection.execute(sa.insert(orders), self._order_row(order))

    def record_order(self, order: Order) -> None:
        """See `roles.Journal`."""
        with self._database.write() as connection:
            connection.execute(sa.insert(orders), self._order_row(order))

    def record_fill(self, order: Order, trade: Trade, settlement: Settlement) -> None:
        """See `roles.Journal`."""
        with self._database.write() as connection:
            order_id = self._end_order(connection, order, OrderStatus.FILLED)
            row = self._trade_row(order_id, trade, settlement.profit)
            connection.execute(sa.insert(trades), row)
            self._put_position(connection, settlement.position)

    def record_failure(self, order: Order, outcome: Outcome) -> None:
        """See `roles.Journal`: the reason is added to the order's own."""
        reason = f"{order.reason}; {outcome.status.value}: {outcome.reason}"
        with self._database.write() as connection:
            self._end_order(connection, order, outcome.status, reason=reason)

    # --- reading ---

    def _open_position(self, connection: sa.Connection) -> Position | None:
        row = connection.execute(
            sa.select(
                positions.c.symbol,
                positions.c.opened_at,
                positions.c.amount,
                positions.c.entry_cost,
                positions.c.average_entry,
                positions.c.realised_profit,
                positions.c.fees,
            ).where(self._ours(positions), positions.c.status == "open")
        ).one_or_none()
        return None if row is None else Position(*row)

    def _cash(self, connection: sa.Connection, position: Position | None) -> Decimal:
        """By the law of `core.position`: starting balance + realised profit - entry cost of what is held."""
        realised = sa.select(positions.c.realised_profit).where(self._ours(positions))
        with exactly():
            total = sum(connection.execute(realised).scalars(), ZERO)
            held = ZERO if position is None else position.entry_cost
            return plain(self._starting_balance + total - held)

    def _pending(self, connection: sa.Connection) -> Order | None:
        row = connection.execute(
            sa.select(
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
            ).where(self._ours(orders), orders.c.status.in_(_UNDONE))
        ).one_or_none()
        if row is None:
            return None
        name, symbol, side, amount, reason, at, decided_at, kind, price, status = row
        return Order(
            name, symbol, Side(side), amount, reason, at, decided_at,
            OrderType(kind), price, OrderStatus(status),
        )  # fmt: skip

    def _failed_exits(self, connection: sa.Connection, position: Position | None) -> int:
        if position is None:
            return 0
        query = sa.select(sa.func.count()).where(
            self._ours(orders),
            orders.c.side == Side.SELL.value,
            orders.c.status.in_(_FAILED),
            orders.c.decided_at >= position.opened_at,
        )
        return int(connection.execute(query).scalar_one())

    # --- writing ---

    def _end_order(
        self, connection: sa.Connection, order: Order, status: OrderStatus, **changes: str
    ) -> int:
        """Ends an order that is not ended, and returns its order_id."""
        change = (
            sa.update(orders)
            .where(
                self._ours(orders),
                orders.c.client_order_id == order.client_order_id,
                orders.c.status.in_(_UNDONE),
            )
            .values(status=status.value, updated_at=wall_now(), **changes)
            .returning(orders.c.order_id)
        )
        return int(connection.execute(change).scalar_one())

    def _put_position(self, connection: sa.Connection, position: Position) -> None:
        """Brings the open position's row to what it is now, or adds it."""
        row = {
            "status": "open" if position.closed_at is None else "closed",
            "amount": position.amount,
            "entry_cost": position.entry_cost,
            "average_entry": position.average_entry,
            "realised_profit": position.realised_profit,
            "fees": position.fees,
            "opened_at": position.opened_at,
            "closed_at": position.closed_at,
            "exit_reason": position.exit_reason,
        }
        is_open = (positions.c.symbol == position.symbol, positions.c.status == "open")
        change = sa.update(positions).where(self._ours(positions), *is_open).values(row)
        if connection.execute(change).rowcount == 0:
            names = {"strategy_id": self._strategy_id, "symbol": position.symbol}
            connection.execute(sa.insert(positions), row | names)

    def _signal_row(self, signal: Signal, decision: str) -> dict[str, Any]:
        return {
            "strategy_id": self._strategy_id,
            "timestamp": signal.timestamp,
            "signal": signal.kind.value,
            "price": signal.price,
            "rsi": signal.indicators.get("rsi"),
            "indicators": json.dumps(dict(signal.indicators)),
            "reason": signal.reason,
            "decision": decision,
            "created_at": wall_now(),
        }

    def _order_row(self, order: Order) -> dict[str, Any]:
        now = wall_now()
        return {
            "strategy_id": self._strategy_id,
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
            "created_at": now,
            "updated_at": now,
        }

    def _trade_row(self, order_id: int, trade: Trade, profit: Decimal) -> dict[str, Any]:
        return {
            "strategy_id": self._strategy_id,
            "order_id": order_id,
            "exchange_trade_id": trade.exchange_trade_id,
            "symbol": trade.symbol,
            "side": trade.side.value,
            "amount": trade.amount,
            "price": trade.price,
            "cost": trade.cost,
            "fee": trade.fee,
            "fee_currency": trade.fee_currency,
            "realised_profit": profit,
            "timestamp": trade.timestamp,
        }

    def _ours(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c["strategy_id"] == self._strategy_id
