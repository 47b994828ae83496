"""What people ask of the books of all strategies. It reads, in one snapshot a question, and never writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from candlewell.listing import Time
from schema import orders, signals, strategy_metadata, trades

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.database import Database

Rows = list[dict[str, Any]]


def profits(database: Database, strategy_ids: Sequence[str]) -> Rows:
    """Each strategy's profit in its quote currency, fees inside, with its equity and its worst drawdown so far.

    `return` is of the starting balance, `drawdown` of the highest equity at a candle's close until then; both are
    ratios. They are plain numbers, as the views are: the exact ones are those of each trade.
    """
    query = sa.text(
        """
        SELECT p.strategy_id, s.mode, p.exchange, p.symbol, p.starting_balance, p.trades, p.round_trips,
               p.realised_profit, p.unrealised_profit, p.fees,
               (p.realised_profit + p.unrealised_profit) / p.starting_balance AS "return",
               (SELECT max(e.drawdown) FROM equity_curve e WHERE e.strategy_id = p.strategy_id) AS drawdown
        FROM profit_per_strategy p JOIN strategy_metadata s ON s.strategy_id = p.strategy_id
        ORDER BY p.strategy_id"""
    )
    with database.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return [
        row | {"currency": row["symbol"].partition("/")[2]}
        for row in rows
        if not strategy_ids or row["strategy_id"] in strategy_ids
    ]


def newest_trades(
    database: Database, strategy_ids: Sequence[str], since: int | None, limit: int
) -> Rows:
    """Executions, newest first, each with why its order was given; `since` is by the exchange's clock."""
    query = (
        sa.select(
            trades.c.timestamp,
            trades.c.strategy_id,
            strategy_metadata.c.mode,
            strategy_metadata.c.exchange,
            trades.c.symbol,
            trades.c.side,
            trades.c.amount,
            trades.c.price,
            trades.c.cost,
            trades.c.fee,
            trades.c.fee_currency,
            trades.c.realised_profit,
            trades.c.exchange_trade_id,
            orders.c.client_order_id,
            orders.c.reason,
        )
        .join(orders, orders.c.order_id == trades.c.order_id)
        .join(strategy_metadata, strategy_metadata.c.strategy_id == trades.c.strategy_id)
        .order_by(trades.c.timestamp.desc(), trades.c.trade_id.desc())
        .limit(limit)
    )
    if strategy_ids:
        query = query.where(trades.c.strategy_id.in_(strategy_ids))
    if since is not None:
        query = query.where(trades.c.timestamp >= since)
    return _timed(database, query)


def newest_signals(
    database: Database,
    strategy_ids: Sequence[str],
    kinds: Sequence[str],
    since: int | None,
    limit: int,
) -> Rows:
    """Signals of those kinds (all, if none is named), newest candle first; `since` is a candle's open time."""
    query = (
        sa.select(
            signals.c.timestamp,
            signals.c.strategy_id,
            signals.c.signal,
            signals.c.price,
            signals.c.rsi,
            signals.c.indicators,
            signals.c.reason,
            signals.c.decision,
            signals.c.created_at,
        )
        .order_by(signals.c.timestamp.desc(), signals.c.strategy_id)
        .limit(limit)
    )
    if strategy_ids:
        query = query.where(signals.c.strategy_id.in_(strategy_ids))
    if kinds:
        query = query.where(signals.c.signal.in_(kinds))
    if since is not None:
        query = query.where(signals.c.timestamp >= since)
    return [
        row | {"indicators": json.loads(row["indicators"]), "created_at": Time(row["created_at"])}
        for row in _timed(database, query)
    ]


def _timed(database: Database, query: sa.Select[Any]) -> Rows:
    """The rows, each with its timestamp as a time."""
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
    return [dict(row) | {"timestamp": Time(row["timestamp"])} for row in rows]
