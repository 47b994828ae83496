"""Writes one strategy's ledger.

A `Ledger` is made for one strategy_id and takes none in its methods, so code that holds it cannot name the
rows of another strategy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.controls import Control, ControlState, tighten
from common.events import append
from schema import equity, orders, positions, signals, trades
from trader.core.equity import DAY_MS, Marks
from trader.core.getting_on import told
from trader.core.signal import SignalKind
from trader.ledger.fleet import why_over_cap
from trader.ledger.reading import UNDONE, books_of, last_signal_of, marks_of
from trader.ledger.rows import (
    CHANGES_OF_ORDER,
    COLUMNS_OF_POSITION,
    equity_row,
    order_changes,
    order_row,
    position_row,
    signal_row,
    trade_row,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from common.database import Database
    from trader.core.books import Books, Settlement
    from trader.core.equity import Reached
    from trader.core.order import Order
    from trader.core.outcome import Outcome
    from trader.core.position import Position
    from trader.roles import Evaluated

_AT_ONCE = 5000  # rows that one transaction forgets

# Made once: to make a statement takes longer than SQLite takes to carry it out, and somebody else waits for the lock.
_CHANGE_ORDER = (
    sa.update(orders)
    .where(
        orders.c.strategy_id == sa.bindparam("of_strategy"),
        orders.c.client_order_id == sa.bindparam("of_order"),
        orders.c.status.in_(UNDONE),
    )
    .values({name: sa.bindparam(name) for name in CHANGES_OF_ORDER})
    .returning(orders.c.order_id)
)
_CHANGE_POSITION = (
    sa.update(positions)
    .where(
        positions.c.strategy_id == sa.bindparam("of_strategy"),
        positions.c.symbol == sa.bindparam("of_symbol"),
        positions.c.status == "open",
    )
    .values({name: sa.bindparam(name) for name in COLUMNS_OF_POSITION})
)

BY_HAND = "by hand: "  # begins the exit reason of a position that a person has written off


class Ledger:
    """See `roles.Journal`. The starting balance and the cap are in quote currency."""

    def __init__(
        self,
        database: Database,
        strategy_id: str,
        starting_balance: Decimal,
        symbol_cap: Decimal | None = None,
    ) -> None:
        self._database = database
        self._strategy_id = strategy_id
        self._starting_balance = starting_balance
        self._symbol_cap = symbol_cap

    def books(self) -> Books:
        """See `roles.Journal`: from one snapshot of the database."""
        with self._database.read() as connection:
            return books_of(connection, self._strategy_id, self._starting_balance)

    def marks(self) -> Marks:
        """See `roles.Journal`."""
        with self._database.read() as connection:
            found = marks_of(connection, self._strategy_id)
        return found or Marks.first(self._starting_balance)

    def last_signal(self) -> int | None:
        """See `roles.Journal`."""
        with self._database.read() as connection:
            return last_signal_of(connection, self._strategy_id)

    def record_signals(
        self,
        evaluated: Sequence[Evaluated],
        order: Order | None = None,
        *,
        reached: Reached | None = None,
        written_off: Position | None = None,
    ) -> str | None:
        """See `roles.Journal`."""
        with self._database.write() as connection:
            why = self._why_not_taken(connection, order)
            if why is not None:
                last = replace(evaluated[-1], decision=f"no trade: {why}")
                evaluated = [*evaluated[:-1], last]
            self._insert(connection, signals, [signal_row(one) for one in evaluated])
            self._insert(connection, equity, [equity_row(one) for one in evaluated])
            if order is not None and why is None:
                self._insert(connection, orders, [order_row(order)])
            if written_off is not None:
                self._put_position(connection, written_off)
            if reached is not None:
                control = Control(ControlState.REDUCE_ONLY, reached.reason, reached.until)
                self._tighten(connection, control, evaluated[-1].marks.closed_at, "limit_reached")
        return why

    def record_order(self, order: Order) -> None:
        """See `roles.Journal`."""
        with self._database.write() as connection:
            self._insert(connection, orders, [order_row(order)])

    def record_outcome(self, order: Order, outcome: Outcome, settlement: Settlement) -> None:
        """See `roles.Journal`."""
        names = {"of_strategy": self._strategy_id, "of_order": order.client_order_id}
        change = order_changes(told(order, outcome), outcome.failure) | names
        with self._database.write() as connection:
            # The order that is not ended, or none.
            order_id = int(connection.execute(_CHANGE_ORDER, change).scalar_one())
            booked = [trade_row(order_id, trade, profit) for trade, profit in settlement.booked]
            self._insert(connection, trades, booked)
            if settlement.position is not None:
                self._put_position(connection, settlement.position)

    def record_write_off(self, position: Position) -> None:
        """See `roles.Journal`."""
        with self._database.write() as connection:
            self._put_position(connection, position)

    def record_write_off_by_hand(self, position: Position) -> None:
        """Writes that a person has given up a position, with an event. No trader of the strategy may run."""
        said = f"{position.dust:f} of {position.symbol}, {position.exit_reason}"
        with self._database.write() as connection:
            self._put_position(connection, position)
            append(connection, self._strategy_id, "warning", "written_off", said)

    def record_halt(self, reason: str, now: int) -> None:
        """See `roles.Journal`."""
        with self._database.write() as connection:
            self._tighten(connection, Control(ControlState.HALTED, reason), now, "halted")

    def forget(self, before: int) -> int:
        """See `roles.Journal`: a few thousand rows at a time, so that nobody waits long for the lock.

        The oldest first, and the equity before the signals: so both are whole from the oldest equity in a day on,
        wherever this ends.
        """
        is_in_day = equity.c.closed_at % DAY_MS != 0  # the last of each day stays
        count = self._delete(equity, equity.c.timestamp < before, is_in_day)
        held = signals.c.signal == SignalKind.HOLD.value
        old = signals.c.timestamp < before
        nothing = signals.c.decision.like("no trade%")
        return count + self._delete(signals, old, held, nothing)

    # --- parts of a transaction ---

    def _why_not_taken(self, connection: sa.Connection, order: Order | None) -> str | None:
        if order is None or self._symbol_cap is None or not order.reserved:
            return None
        return why_over_cap(connection, self._strategy_id, order, self._symbol_cap)

    def _tighten(self, connection: sa.Connection, control: Control, now: int, kind: str) -> None:
        if tighten(connection, self._strategy_id, control, now):
            level = "error" if control.state is ControlState.HALTED else "warning"
            append(connection, self._strategy_id, level, kind, control.reason, until=control.until)

    def _insert(
        self, connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]
    ) -> None:
        if rows:
            named = [row | {"strategy_id": self._strategy_id} for row in rows]
            connection.execute(sa.insert(table), named)

    def _put_position(self, connection: sa.Connection, position: Position) -> None:
        """Brings the open position's row to what it is now, or adds it."""
        row = position_row(position)
        names = {"of_strategy": self._strategy_id, "of_symbol": position.symbol}
        if connection.execute(_CHANGE_POSITION, row | names).rowcount == 0:
            self._insert(connection, positions, [row])

    def _delete(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
        key = (table.c["strategy_id"], table.c["timestamp"])
        total = 0
        while True:
            oldest = sa.select(key[1]).where(self._ours(table), *conditions).order_by(key[1])
            some = oldest.limit(_AT_ONCE)
            with self._database.write() as connection:
                statement = sa.delete(table).where(self._ours(table), key[1].in_(some))
                count = connection.execute(statement).rowcount
            total += count
            if count < _AT_ONCE:
                return total

    def _ours(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c["strategy_id"] == self._strategy_id
