"""The accounts of one practice exchange: balances, orders and fills. All of their SQL is here."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from practice.orders import ZERO, Change, Fill, Kind, Order, Side, Status, Ticket, TimeInForce

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

SCHEMA = """
CREATE TABLE IF NOT EXISTS balances (
    exchange TEXT NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    free TEXT NOT NULL,
    locked TEXT NOT NULL,
    PRIMARY KEY (exchange, account, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS orders (
    order_id INTEGER PRIMARY KEY,
    exchange TEXT NOT NULL,
    account TEXT NOT NULL,
    symbol TEXT NOT NULL,
    client_order_id TEXT NOT NULL,
    side TEXT NOT NULL,
    kind TEXT NOT NULL,
    time_in_force TEXT NOT NULL,
    price TEXT NOT NULL,
    asked_amount TEXT NOT NULL,
    asked_cost TEXT NOT NULL,
    amount TEXT NOT NULL,
    status TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    filled TEXT NOT NULL,
    cost TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_client_id ON orders (exchange, account, client_order_id);
CREATE INDEX IF NOT EXISTS open_orders ON orders (exchange) WHERE status = 'open';

CREATE TABLE IF NOT EXISTS fills (
    fill_id INTEGER PRIMARY KEY,
    exchange TEXT NOT NULL,
    order_id INTEGER NOT NULL REFERENCES orders (order_id),
    account TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    price TEXT NOT NULL,
    amount TEXT NOT NULL,
    fee TEXT NOT NULL,
    is_maker INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS fills_of_order ON fills (order_id);
"""
_ORDER = (
    "order_id, account, symbol, client_order_id, side, kind, time_in_force, price, asked_amount,"
    " asked_cost, amount, status, created_ms, updated_ms, filled, cost"
)
_FILL = "order_id, account, symbol, side, price, amount, fee, is_maker, timestamp_ms, fill_id"


class Overdrawn(Exception):
    """Somebody would own less than nothing: a mistake in this program, never of its customer."""


class Ledger:
    """What one exchange knows of its customers."""

    def __init__(self, connection: sqlite3.Connection, exchange: str) -> None:
        self._connection = connection
        self._exchange = exchange

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is kept together, or nothing of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def open_account(self, account: str, balances: Mapping[str, Decimal]) -> None:
        """Gives a new account its first balances; an account that is known keeps its own."""
        if self.balances(account):
            return
        with self.transaction():
            self.apply(
                account, [Change(currency, free=free) for currency, free in balances.items()]
            )

    def balances(self, account: str) -> dict[str, tuple[Decimal, Decimal]]:
        """What is free and what is locked, by currency."""
        rows = self._connection.execute(
            "SELECT currency, free, locked FROM balances WHERE exchange = ? AND account = ?",
            (self._exchange, account),
        )
        return {currency: (Decimal(free), Decimal(locked)) for currency, free, locked in rows}

    def free(self, account: str) -> dict[str, Decimal]:
        """What an account can spend, by currency."""
        return {currency: free for currency, (free, _) in self.balances(account).items()}

    def apply(self, account: str, changes: list[Change]) -> None:
        """Changes balances.

        Raises:
            Overdrawn: one would fall below zero; the caller's transaction is to be undone.
        """
        balances = self.balances(account)
        for change in changes:
            free, locked = balances.get(change.currency, (ZERO, ZERO))
            free, locked = free + change.free, locked + change.locked
            if free < 0 or locked < 0:
                raise Overdrawn(
                    f"account {account}: expected balances of at least 0, "
                    f"found {free} free and {locked} locked after {change}"
                )
            balances[change.currency] = (free, locked)
            self._connection.execute(
                "INSERT INTO balances (exchange, account, currency, free, locked)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (exchange, account, currency)"
                " DO UPDATE SET free = excluded.free, locked = excluded.locked",
                (self._exchange, account, change.currency, str(free), str(locked)),
            )

    def add_order(self, order: Order) -> Order:
        """Keeps a new order; the same with its number."""
        ticket = order.ticket
        cursor = self._connection.execute(
            "INSERT INTO orders (exchange, account, symbol, client_order_id, side, kind,"
            " time_in_force, price, asked_amount, asked_cost, amount, status, created_ms,"
            " updated_ms, filled, cost) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._exchange,
                order.account,
                ticket.symbol,
                ticket.client_order_id,
                ticket.side,
                ticket.kind,
                ticket.time_in_force,
                str(ticket.price),
                str(ticket.amount),
                str(ticket.cost),
                str(order.amount),
                order.status,
                order.created_ms,
                order.updated_ms,
                str(order.filled),
                str(order.cost),
            ),
        )
        return replace(order, order_id=_number_of(cursor))

    def update_order(self, order: Order) -> None:
        """Keeps what has become of an order."""
        self._connection.execute(
            "UPDATE orders SET status = ?, updated_ms = ?, filled = ?, cost = ? WHERE order_id = ?",
            (order.status, order.updated_ms, str(order.filled), str(order.cost), order.order_id),
        )

    def add_fill(self, fill: Fill) -> Fill:
        """Keeps an execution; the same with its number."""
        cursor = self._connection.execute(
            "INSERT INTO fills (exchange, order_id, account, symbol, side, price, amount, fee,"
            " is_maker, timestamp_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._exchange,
                fill.order_id,
                fill.account,
                fill.symbol,
                fill.side,
                str(fill.price),
                str(fill.amount),
                str(fill.fee),
                int(fill.is_maker),
                fill.timestamp_ms,
            ),
        )
        return replace(fill, fill_id=_number_of(cursor))

    def open_orders(self) -> list[Order]:
        """The open orders of all accounts, oldest first."""
        return self._orders("status = 'open'", ())

    def orders_of(self, account: str, symbol: str) -> list[Order]:
        """All orders of an account in one market, oldest first."""
        return self._orders("account = ? AND symbol = ?", (account, symbol))

    def orders_by_client_id(self, account: str, client_order_id: str) -> list[Order]:
        """The orders that carry that id, oldest first."""
        return self._orders("account = ? AND client_order_id = ?", (account, client_order_id))

    def order(self, account: str, order_id: int) -> Order | None:
        """The order of that number."""
        found = self._orders("account = ? AND order_id = ?", (account, order_id))
        return found[0] if found else None

    def fills_of(self, account: str, symbol: str) -> list[Fill]:
        """All executions of an account in one market, oldest first."""
        rows = self._connection.execute(
            f"SELECT {_FILL} FROM fills WHERE exchange = ? AND account = ? AND symbol = ?"
            " ORDER BY fill_id",
            (self._exchange, account, symbol),
        )
        return [_fill(row) for row in rows]

    def _orders(self, condition: str, values: tuple[object, ...]) -> list[Order]:
        rows = self._connection.execute(
            f"SELECT {_ORDER} FROM orders WHERE exchange = ? AND {condition} ORDER BY order_id",
            (self._exchange, *values),
        )
        return [_order(row) for row in rows]


def _number_of(cursor: sqlite3.Cursor) -> int:
    """The number that a new row was given."""
    if not cursor.lastrowid:
        raise RuntimeError(f"expected the number of a new row, found {cursor.lastrowid}")
    return cursor.lastrowid


def _order(row: tuple[Any, ...]) -> Order:
    ticket = Ticket(
        symbol=row[2],
        client_order_id=row[3],
        side=Side(row[4]),
        kind=Kind(row[5]),
        time_in_force=TimeInForce(row[6]),
        price=Decimal(row[7]),
        amount=Decimal(row[8]),
        cost=Decimal(row[9]),
    )
    return Order(
        order_id=row[0],
        account=row[1],
        ticket=ticket,
        amount=Decimal(row[10]),
        status=Status(row[11]),
        created_ms=row[12],
        updated_ms=row[13],
        filled=Decimal(row[14]),
        cost=Decimal(row[15]),
    )


def _fill(row: tuple[Any, ...]) -> Fill:
    order_id, account, symbol, side, price, amount, fee, is_maker, timestamp_ms, fill_id = row
    return Fill(
        order_id=order_id,
        account=account,
        symbol=symbol,
        side=Side(side),
        price=Decimal(price),
        amount=Decimal(amount),
        fee=Decimal(fee),
        is_maker=bool(is_maker),
        timestamp_ms=timestamp_ms,
        fill_id=fill_id,
    )
