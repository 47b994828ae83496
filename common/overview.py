"""What a person wants to see at a glance, read from the views of the shared database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from common.database import Database


@dataclass(frozen=True, slots=True)
class PartitionOverview:
    """How much of a partition is stored. Times are UTC text.

    `missing` is between the first and the last candle; of it, `explained` is what the exchange was found
    not to have. `open_gaps` are those that it is still asked for.
    """

    exchange: str
    symbol: str
    timeframe: str
    candles: int
    first: str
    last: str
    missing: int
    explained: int
    unexplained: int
    open_gaps: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Exchange, symbol and timeframe."""
        return self.exchange, self.symbol, self.timeframe


@dataclass(frozen=True, slots=True)
class ExchangeOverview:
    """How an exchange is doing: ok, backing_off or banned, until when (UTC text), and why."""

    exchange: str
    state: str
    until: str
    error: str


@dataclass(frozen=True, slots=True)
class StrategyOverview:
    """How a strategy is doing. Profits are in quote currency, the amount in base currency."""

    strategy_id: str
    exchange: str
    symbol: str
    timeframe: str
    state: str
    detail: str
    candle: str
    rsi: float | None
    signal: str
    decision: str
    amount: float
    average_entry: float | None
    trades: int
    realised_profit: float
    unrealised_profit: float


def partitions(database: Database) -> list[PartitionOverview]:
    """Every stored partition. Counts its candles, so it takes longer the more there are."""
    query = sa.text(
        "SELECT exchange, symbol, timeframe, candles, first_utc, last_utc, missing, explained, unexplained, "
        "open_gaps FROM coverage ORDER BY exchange, symbol, timeframe"
    )
    with database.read() as connection:
        return [PartitionOverview(*row) for row in connection.execute(query)]


def exchanges(database: Database) -> list[ExchangeOverview]:
    """Every exchange that the backfiller speaks to."""
    query = sa.text(
        "SELECT exchange, state, coalesce(until_utc, ''), coalesce(last_error, '') FROM exchange_health "
        "ORDER BY exchange"
    )
    with database.read() as connection:
        return [ExchangeOverview(*row) for row in connection.execute(query)]


def strategies(database: Database) -> list[StrategyOverview]:
    """Every registered strategy."""
    query = sa.text(
        """
        SELECT p.strategy_id, p.exchange, p.symbol, p.timeframe, coalesce(h.state, 'registered'), coalesce(h.detail, ''),
               coalesce(g.candle_utc, ''), g.rsi, coalesce(g.signal, ''), coalesce(g.decision, ''),
               coalesce(o.amount, 0.0), o.average_entry, p.trades, p.realised_profit, p.unrealised_profit
        FROM profit_per_strategy p
        LEFT JOIN fleet_health h ON h.daemon = p.strategy_id
        LEFT JOIN last_signals g ON g.strategy_id = p.strategy_id
        LEFT JOIN open_positions o ON o.strategy_id = p.strategy_id
        ORDER BY p.strategy_id"""
    )
    with database.read() as connection:
        return [StrategyOverview(*row) for row in connection.execute(query)]
