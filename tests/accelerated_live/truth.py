"""A trader's books against the exchange's own record, and against themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

import schema
from tests.accelerated_live.record import ZERO, Execution, Record
from trader.ledger import Ledger

if TYPE_CHECKING:
    from decimal import Decimal

    from common.database import Database
    from tests.accelerated.truth import Verdict
    from tests.accelerated_live.plan import Trading

_UNSENT = {"rejected", "canceled"}  # what an order may be that the exchange has never had
_ENDS = {"filled": {"filled"}, "canceled": {"canceled", "expired"}}
_CLOCK_MS = 1  # Kraken tells times in seconds with a fraction


class OnPartition(Protocol):
    """A trader, and what it trades on."""

    @property
    def strategy_id(self) -> str: ...

    @property
    def exchange(self) -> str: ...

    @property
    def symbol(self) -> str: ...

    @property
    def timeframe(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Sides:
    """One trader's books, and what its exchange has of it; `deposit` is the quote currency it began with."""

    trading: Trading
    database: Database
    record: Record
    deposit: Decimal
    starting_balance: Decimal

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """The strategy's rows of a table."""
        query = sa.select(table).where(table.c.strategy_id == self.trading.strategy_id)
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def judge(verdict: Verdict, sides: Sides) -> None:
    """Compares all that can be compared of one trader."""
    who = sides.trading.strategy_id
    orders, trades = sides.rows(schema.orders), sides.rows(schema.trades)
    _orders(verdict, who, orders, sides.record)
    _trades(
        verdict, who, trades, {row["order_id"]: row["client_order_id"] for row in orders}, sides
    )
    _money(verdict, sides, trades)
    judge_signals(verdict, sides.trading, sides.database)
    for row in orders:
        verdict.counts[f"{who} {row['status']}"] += 1
    if not trades:
        verdict.blame("nothing traded", who)


def _orders(verdict: Verdict, who: str, orders: list[dict[str, Any]], record: Record) -> None:
    """Every order is on both sides once, and the same."""
    mine = {row["client_order_id"]: row for row in orders}
    times = Counter(one.client_order_id for one in record.orders)
    for name, count in times.items():
        if count > 1:
            verdict.blame("placed twice", f"{who} {name}: {count} times")
        if name not in mine:
            verdict.blame("not in the books", f"{who} {name}")
    for name, row in mine.items():
        if name not in times and row["status"] not in _UNSENT:
            verdict.blame("not at the exchange", f"{who} {row}")
    for one in record.orders:
        if one.client_order_id not in mine:
            continue
        row = mine[one.client_order_id]
        told = (row["exchange_order_id"], row["side"], row["type"], row["price"] or ZERO)
        asked = one.cost == row["reserved"] if one.cost else one.amount == row["amount"]
        is_same = told == (one.exchange_order_id, one.side, one.kind, one.price) and asked
        if not is_same or one.status not in _ENDS.get(row["status"], ()):
            verdict.blame("orders differ", f"{who} {row} for {one}")
        else:
            verdict.counts["orders equal"] += 1


def _trades(
    verdict: Verdict,
    who: str,
    trades: list[dict[str, Any]],
    names: dict[int, str],
    sides: Sides,
) -> None:
    """Every trade is on both sides once, to the last digit."""
    mine = {
        row["exchange_trade_id"]: Execution(
            row["exchange_trade_id"],
            names[row["order_id"]],
            row["side"],
            row["amount"],
            row["price"],
            row["fee"],
            row["fee_currency"],
            row["timestamp"],
        )
        for row in trades
    }
    true = {one.trade_id: one for one in sides.record.executions}
    if len(mine) != len(trades):
        verdict.blame("booked twice", f"{who}: {len(trades) - len(mine)} trades")
    for name in mine.keys() | true.keys():
        found, was = mine.get(name), true.get(name)
        if found is None or was is None or not _is_same(found, was):
            verdict.blame("trades differ", f"{who} {found} for {was}")
        else:
            verdict.counts["trades equal"] += 1


def _is_same(found: Execution, was: Execution) -> bool:
    return abs(found.timestamp - was.timestamp) <= _CLOCK_MS and all(
        getattr(found, name) == getattr(was, name)
        for name in ("client_order_id", "side", "amount", "price", "fee", "fee_currency")
    )


def _money(verdict: Verdict, sides: Sides, trades: list[dict[str, Any]]) -> None:
    """Cash and position are what the trades add up to, and what the exchange has."""
    who = sides.trading.strategy_id
    base, quote = sides.trading.symbol.split("/")
    positions = sides.rows(schema.positions)
    dust = sum((row["dust"] for row in positions), ZERO)
    held = sum((row["amount"] for row in positions if row["status"] == "open"), ZERO)
    bought = sum((_base_change(row, base) for row in trades), ZERO)
    paid = sum((_quote_change(row, quote) for row in trades), ZERO)
    books = Ledger(sides.database, who, sides.starting_balance).books()
    for what, found, expected in (
        ("position", held, bought - dust),
        ("position of the books", ZERO if books.position is None else books.position.amount, held),
        ("base at the exchange", sides.record.held.get(base, ZERO), held + dust),
        ("cash", books.cash, sides.starting_balance + paid),
        ("quote at the exchange", sides.record.held[quote], sides.deposit + paid),
    ):
        if found != expected:
            verdict.blame(f"{what} differs", f"{who}: {found} for {expected}")
        else:
            verdict.counts["sums equal"] += 1


def _base_change(row: dict[str, Any], base: str) -> Decimal:
    amount: Decimal = row["amount"] if row["side"] == "buy" else -row["amount"]
    return amount - row["fee"] if row["fee_currency"] == base else amount


def _quote_change(row: dict[str, Any], quote: str) -> Decimal:
    cost: Decimal = row["amount"] * row["price"]
    gained = -cost if row["side"] == "buy" else cost
    return gained - row["fee"] if row["fee_currency"] == quote else gained


def judge_signals(verdict: Verdict, trading: OnPartition, database: Database) -> None:
    """Every stored candle since the first one that was judged has its signal.

    But for one that came after later ones: it was a hole when they were judged, and the gap ledger has it.
    """
    mine = sa.select(schema.signals.c.timestamp).where(
        schema.signals.c.strategy_id == trading.strategy_id
    )
    with database.read() as connection:
        judged = set(connection.execute(mine).scalars())
    if not judged:
        verdict.blame("no signal", trading.strategy_id)
        return
    candles, gaps = schema.ohlcv_data, schema.gaps
    stored_query = sa.select(candles.c.timestamp).where(
        *_of(candles, trading), candles.c.timestamp.between(min(judged), max(judged))
    )
    with database.read() as connection:
        stored = set(connection.execute(stored_query).scalars())
        query = sa.select(gaps.c.start, gaps.c.end).where(*_of(gaps, trading))
        holes = [(row.start, row.end) for row in connection.execute(query)]
    for timestamp in sorted(stored ^ judged):
        if any(start <= timestamp <= end for start, end in holes) and timestamp in stored:
            verdict.counts["candles that came late"] += 1
            continue
        what = "candle without signal" if timestamp in stored else "signal without candle"
        verdict.blame(what, f"{trading.strategy_id} {timestamp}")
    verdict.counts["candles with their signal"] += len(stored & judged)


def _of(table: sa.Table, trading: OnPartition) -> list[sa.ColumnElement[bool]]:
    return [
        table.c.exchange == trading.exchange,
        table.c.symbol == trading.symbol,
        table.c.timeframe == trading.timeframe,
    ]


def judge_file(verdict: Verdict, database: Database) -> None:
    """The database file and its keys are sound."""
    with database.read() as connection:
        for pragma, good in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
            found = [tuple(row) for row in connection.exec_driver_sql(f"PRAGMA {pragma}").all()]
            if found != good:
                verdict.blame(pragma, f"{found[:3]}")
            else:
                verdict.counts[f"{pragma} clean"] += 1


def halts(verdict: Verdict, database: Database) -> None:
    """No strategy has halted itself, nor been stopped by a limit."""
    with database.read() as connection:
        for scope, state, reason in connection.execute(
            sa.select(schema.controls.c.scope, schema.controls.c.state, schema.controls.c.reason)
        ):
            verdict.blame("halted", f"{scope} {state}: {reason}")
