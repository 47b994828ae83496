"""Reads one strategy's rows as they were written, all in one snapshot: for who compares them with a replay.

Nothing is made of the rows here: what is impossible is there to be found, not to be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from schema import equity, orders, positions, signals, trades
from trader.core.equity import DAY_MS, Marks
from trader.core.signal import SignalKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from common.database import Database


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A row of `signals`; the indicators are JSON still."""

    timestamp: int
    signal: str
    price: float
    rsi: float | None
    indicators: str
    reason: str
    decision: str
    created_at: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of `orders`."""

    order_id: int
    client_order_id: str
    exchange_order_id: str | None
    symbol: str
    side: str
    type: str
    amount: Decimal
    price: Decimal | None
    status: str
    reason: str
    signal_timestamp: int
    decided_at: int
    created_at: int
    updated_at: int
    purpose: str
    reserved: Decimal
    failure: str | None


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A row of `trades`."""

    trade_id: int
    order_id: int
    exchange_trade_id: str
    symbol: str
    side: str
    amount: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    fee_currency: str
    fee_cost: Decimal
    realised_profit: Decimal
    timestamp: int


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A row of `positions`."""

    symbol: str
    status: str
    amount: Decimal
    entry_cost: Decimal
    average_entry: Decimal
    realised_profit: Decimal
    fees: Decimal
    opened_at: int
    closed_at: int | None
    exit_reason: str | None
    dust: Decimal


@dataclass(frozen=True, slots=True)
class Records:
    """Signals and equity of a span of candles, and all orders, trades and positions, each as they were written.

    `marks` are by open time. `before` is the last equity before the span, and `is_first` whether nothing was written
    before it. `kept_since` is the open time of the oldest candle from which on no row was forgotten; None: not known.
    """

    signals: list[SignalRow]
    marks: dict[int, Marks]
    before: Marks | None
    is_first: bool
    kept_since: int | None
    orders: list[OrderRow]
    trades: list[TradeRow]
    positions: list[PositionRow]

    @property
    def written_since(self) -> int:
        """When the first of the signals and orders was written, by this machine's clock; 0: there is none."""
        rows: list[SignalRow | OrderRow] = [*self.signals[:1], *self.orders[:1]]
        return min((row.created_at for row in rows), default=0)


class Written:
    """What one strategy has written."""

    def __init__(self, database: Database, strategy_id: str) -> None:
        self._database = database
        self._strategy_id = strategy_id

    def records(self, since: int | None = None, until: int | None = None) -> Records:
        """The rows, of candles that opened from `since` to `until` where they belong to a candle."""
        span = (since or 0, 2**62 if until is None else until)
        with self._database.read() as connection:
            before = self._last_before(connection, span[0])
            return Records(
                signals=list(self._rows(connection, signals, SignalRow, span)),
                marks=self._marks(connection, span),
                before=before,
                is_first=before is None and not self._has_signal_before(connection, span[0]),
                kept_since=self._kept_since(connection),
                orders=list(self._rows(connection, orders, OrderRow)),
                trades=list(self._rows(connection, trades, TradeRow)),
                positions=list(self._rows(connection, positions, PositionRow)),
            )

    def _rows(
        self,
        connection: sa.Connection,
        table: sa.Table,
        kind: type[Any],
        span: tuple[int, int] | None = None,
    ) -> Iterator[Any]:
        """The rows in the order of the table's key: the order in which they were written."""
        columns = [table.c[name] for name in kind.__dataclass_fields__]
        query = sa.select(*columns).where(self._ours(table)).order_by(*table.primary_key.columns)
        if span is not None:
            query = query.where(table.c.timestamp.between(*span))
        return (kind(*row) for row in connection.execute(query))

    def _marks(self, connection: sa.Connection, span: tuple[int, int]) -> dict[int, Marks]:
        query = (
            sa.select(equity.c.timestamp, *_MARKS)
            .where(self._ours(equity), equity.c.timestamp.between(*span))
            .order_by(equity.c.timestamp)
        )
        return {timestamp: Marks(*marks) for timestamp, *marks in connection.execute(query)}

    def _last_before(self, connection: sa.Connection, since: int) -> Marks | None:
        query = (
            sa.select(*_MARKS)
            .where(self._ours(equity), equity.c.timestamp < since)
            .order_by(equity.c.timestamp.desc())
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        return None if row is None else Marks(*row)

    def _has_signal_before(self, connection: sa.Connection, since: int) -> bool:
        query = sa.select(signals.c.timestamp).where(
            self._ours(signals), signals.c.timestamp < since
        )
        return connection.execute(query.limit(1)).scalar() is not None

    def _kept_since(self, connection: sa.Connection) -> int | None:
        """From where on `Ledger.forget` has dropped nothing; where all equity is of a day's end, by the signals."""
        in_day = sa.select(sa.func.min(equity.c.timestamp)).where(
            self._ours(equity), equity.c.closed_at % DAY_MS != 0
        )
        held = sa.select(sa.func.min(signals.c.timestamp)).where(
            self._ours(signals),
            signals.c.signal == SignalKind.HOLD.value,
            signals.c.decision.like("no trade%"),
        )
        found: int | None = connection.execute(in_day).scalar()
        return connection.execute(held).scalar() if found is None else found

    def _ours(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c["strategy_id"] == self._strategy_id


_MARKS = (equity.c.closed_at, equity.c.equity, equity.c.peak, equity.c.opening)
