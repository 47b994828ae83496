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
    fee_rate TEXT NOT NULL,
    fee_currency TEXT NOT NULL,
    filled TEXT NOT NULL,
    cost TEXT NOT NULL,
    fee TEXT NOT NULL
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
    fee_currency TEXT NOT NULL,
    is_maker INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS fills_of_order ON fills (order_id);
"""
_ORDER = (
    "order_id, account, symbol, client_order_id, side, kind, time_in_force, price, asked_amount,"
    " asked_cost, amount, status, created_ms, updated_ms, fee_rate, fee_currency, filled, cost, fee"
)
_FILL = "order_id, account, symbol, side, price, amount, fee, fee_currency, is_maker, timestamp_ms, fill_id"


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
        number = self._insert(
            "orders",
            account=order.account,
            symbol=ticket.symbol,
            client_order_id=ticket.client_order_id,
            side=ticket.side,
            kind=ticket.kind,
            time_in_force=ticket.time_in_force,
            price=str(ticket.price),
            asked_amount=str(ticket.amount),
            asked_cost=str(ticket.cost),
            amount=str(order.amount),
            status=order.status,
            created_ms=order.created_ms,
            updated_ms=order.updated_ms,
            fee_rate=str(order.fee_rate),
            fee_currency=order.fee_currency,
            filled=str(order.filled),
            cost=str(order.cost),
            fee=str(order.fee),
        )
        return replace(order, order_id=number)

    def update_order(self, order: Order) -> None:
        """Keeps what has become of an order."""
        self._connection.execute(
            "UPDATE orders SET status = ?, updated_ms = ?, filled = ?, cost = ?, fee = ?"
            " WHERE order_id = ?",
            (
                order.status,
                order.updated_ms,
                str(order.filled),
                str(order.cost),
                str(order.fee),
                order.order_id,
            ),
        )

    def add_fill(self, fill: Fill) -> Fill:
        """Keeps an execution; the same with its number."""
        number = self._insert(
            "fills",
            order_id=fill.order_id,
            account=fill.account,
            symbol=fill.symbol,
            side=fill.side,
            price=str(fill.price),
            amount=str(fill.amount),
            fee=str(fill.fee),
            fee_currency=fill.fee_currency,
            is_maker=int(fill.is_maker),
            timestamp_ms=fill.timestamp_ms,
        )
        return replace(fill, fill_id=number)

    def open_orders(self) -> list[Order]:
        """The open orders of all accounts, oldest first."""
        return self._orders("status = 'open'", ())

    def orders_of(self, account: str, symbol: str | None = None) -> list[Order]:
        """All orders of an account, in one market or in all, oldest first."""
        return self._orders("account = ? AND symbol = coalesce(?, symbol)", (account, symbol))

    def orders_by_client_id(self, account: str, client_order_id: str) -> list[Order]:
        """The orders that carry that id, oldest first."""
        return self._orders("account = ? AND client_order_id = ?", (account, client_order_id))

    def order(self, account: str, order_id: int) -> Order | None:
        """The order of that number."""
        found = self._orders("account = ? AND order_id = ?", (account, order_id))
        return found[0] if found else None

    def fills_of(self, account: str, symbol: str | None = None) -> list[Fill]:
        """All executions of an account, in one market or in all, oldest first."""
        return self._fills("account = ? AND symbol = coalesce(?, symbol)", (account, symbol))

    def fills_of_order(self, order_id: int) -> list[Fill]:
        """The executions of one order, oldest first."""
        return self._fills("order_id = ?", (order_id,))

    def _insert(self, table: str, **values: object) -> int:
        """Adds a row of this exchange; its number."""
        marks = ", ".join("?" * len(values))
        cursor = self._connection.execute(
            f"INSERT INTO {table} (exchange, {', '.join(values)}) VALUES (?, {marks})",
            (self._exchange, *values.values()),
        )
        if not cursor.lastrowid:
            raise RuntimeError(f"expected the number of a new row, found {cursor.lastrowid}")
        return cursor.lastrowid

    def _fills(self, condition: str, values: tuple[object, ...]) -> list[Fill]:
        rows = self._connection.execute(
            f"SELECT {_FILL} FROM fills WHERE exchange = ? AND {condition} ORDER BY fill_id",
            (self._exchange, *values),
        )
        return [_fill(row) for row in rows]

    def _orders(self, condition: str, values: tuple[object, ...]) -> list[Order]:
        rows = self._connection.execute(
            f"SELECT {_ORDER} FROM orders WHERE exchange = ? AND {condition} ORDER BY order_id",
            (self._exchange, *values),
        )
        return [_order(row) for row in rows]


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
        fee_rate=Decimal(row[14]),
        fee_currency=row[15],
        filled=Decimal(row[16]),
        cost=Decimal(row[17]),
        fee=Decimal(row[18]),
    )


def _fill(row: tuple[Any, ...]) -> Fill:
    return Fill(
        order_id=row[0],
        account=row[1],
        symbol=row[2],
        side=Side(row[3]),
        price=Decimal(row[4]),
        amount=Decimal(row[5]),
        fee=Decimal(row[6]),
        fee_currency=row[7],
        is_maker=bool(row[8]),
        timestamp_ms=row[9],
        fill_id=row[10],
    )
