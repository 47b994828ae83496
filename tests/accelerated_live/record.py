"""What the practice exchange itself has kept of an account: the record that a trader's books have to equal.

It is read from the exchange's own file, after it has ended: no client, no interface and no parser of either side
is between.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from practice.ids import kraken_id_of, uuid_of

if TYPE_CHECKING:
    from pathlib import Path

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade, as it was."""

    trade_id: str
    client_order_id: str
    side: str
    amount: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class Placed:
    """One order, as it was asked for and as it stands. `cost` is what a market buy may cost, 0 for others."""

    client_order_id: str
    exchange_order_id: str
    side: str
    kind: str
    amount: Decimal
    cost: Decimal
    price: Decimal
    status: str
    filled: Decimal


@dataclass(frozen=True, slots=True)
class Record:
    """All that an exchange knows of an account; `held` is free and locked together, by currency."""

    orders: list[Placed]
    executions: list[Execution]
    held: dict[str, Decimal]


def record_of(state: Path, exchange: str, account: str) -> Record:
    """The record in the practice exchange's state file."""
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        who = (exchange, account)
        orders = connection.execute(
            "SELECT client_order_id, order_id, side, kind, asked_amount, asked_cost, price, status, filled"
            " FROM orders WHERE exchange = ? AND account = ? ORDER BY order_id",
            who,
        )
        placed = [
            Placed(
                client_order_id=row[0],
                exchange_order_id=_id(exchange, "order", row[1]),
                side=row[2],
                kind=row[3],
                amount=Decimal(row[4]),
                cost=Decimal(row[5]),
                price=Decimal(row[6]),
                status=row[7],
                filled=Decimal(row[8]),
            )
            for row in orders
        ]
        fills = connection.execute(
            "SELECT fill_id, client_order_id, fills.side, fills.amount, fills.price, fills.fee,"
            " fills.fee_currency, timestamp_ms FROM fills JOIN orders USING (order_id)"
            " WHERE fills.exchange = ? AND fills.account = ? ORDER BY fill_id",
            who,
        )
        made = [
            Execution(
                trade_id=_id(exchange, "trade", row[0]),
                client_order_id=row[1],
                side=row[2],
                amount=Decimal(row[3]),
                price=Decimal(row[4]),
                fee=Decimal(row[5]),
                fee_currency=row[6],
                timestamp=row[7],
            )
            for row in fills
        ]
        balances = connection.execute(
            "SELECT currency, free, locked FROM balances WHERE exchange = ? AND account = ?", who
        )
        held = {currency: Decimal(free) + Decimal(locked) for currency, free, locked in balances}
    return Record(placed, made, held)


def _id(exchange: str, kind: str, number: int) -> str:
    """The number as that exchange tells it to its clients."""
    if exchange == "coinbase":
        return uuid_of(kind, number)
    if exchange == "kraken":
        return kraken_id_of({"order": "O", "trade": "T"}[kind], number)
    return str(number)
