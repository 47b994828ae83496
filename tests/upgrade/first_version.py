"""A database as the first version of the suite left it: made by its migration, with the rows of a running strategy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import schema
from common.clock import wall_now
from common.database import connect, path_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ID = "trader-btc-binance-1h"
HOUR = 3_600_000
_JUDGED = 10  # candles with a signal; the first of them is the one that was bought at
Rows = dict[str, set[tuple[object, ...]]]

# The columns of the first version, of what is written once and never changed.
_FINAL = {
    "ohlcv_data": "exchange, symbol, timeframe, timestamp, open, high, low, close, volume",
    "signals": "strategy_id, timestamp, signal, price, rsi, indicators, reason, decision, created_at",
    "orders": "order_id, strategy_id, client_order_id, exchange_order_id, symbol, side, type, amount, price, status, "
    "reason, signal_timestamp, decided_at, created_at, updated_at",
    "trades": "trade_id, strategy_id, order_id, exchange_trade_id, symbol, side, amount, price, cost, fee, "
    "fee_currency, realised_profit, timestamp",
    "events": "event_id, timestamp, source, level, kind, message, detail",
    "positions": "position_id, strategy_id, symbol, opened_at",
}


def candles_from(first: int, count: int) -> list[list[float]]:
    """Hourly candles that nobody has to believe."""
    return [[first + at * HOUR, 10_000.0, 10_010.0, 9_990.0, 10_000.0, 5.0] for at in range(count)]


def make_first_version(url: str, candles: Sequence[Sequence[float]]) -> None:
    """Makes it: those hourly candles of BTC/USDT at binance, and a strategy that bought ten candles before their end."""
    database = connect(url, create=True)
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement, values in _rows(candles):
            connection.execute(sa.text(statement), values)
        connection.execute(
            sa.text("CREATE VIEW last_signals AS SELECT strategy_id, signal FROM signals")
        )
    database.close()


def final_rows(path: Path) -> Rows:
    """Every row that may never be lost, with the columns that it had at first."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        return {
            table: {tuple(row) for row in connection.execute(f"SELECT {columns} FROM {table}")}
            for table, columns in _FINAL.items()
        }


def content(url: str) -> str:
    """All that is in a database, as the SQL that makes it."""
    with closing(sqlite3.connect(path_of(url))) as connection:
        return "\n".join(connection.iterdump())


def _rows(candles: Sequence[Sequence[float]]) -> list[tuple[str, list[dict[str, object]]]]:
    names = ("timestamp", "open", "high", "low", "close", "volume")
    judged = [int(row[0]) for row in candles[-_JUDGED:]]
    price = float(candles[-_JUDGED][4])
    bought_at = judged[0] + HOUR
    cost, fee = f"{price * 0.01:.8f}", f"{price * 0.00001:.8f}"
    entry_cost = f"{price * 0.01001:.8f}"
    signal = {"id": ID, "price": price}
    return [
        (
            "INSERT INTO ohlcv_data VALUES ('binance', 'BTC/USDT', '1h', :timestamp, :open, :high, :low, :close, "
            ":volume)",
            [dict(zip(names, row, strict=True)) for row in candles],
        ),
        (
            "INSERT INTO strategy_metadata VALUES (:id, 'binance', 'BTC/USDT', '1h', 'rsi', 'config/trader.yml', "
            """'paper', '{"period": 7}', 141, '10000', 'running', :now, :now)""",
            [{"id": ID, "now": wall_now()}],
        ),
        (
            "INSERT INTO signals VALUES (:id, :at, :said, :price, 25.5, '{\"rsi\": 25.5}', 'rsi', 'as it was', 1)",
            [signal | {"at": at, "said": "hold" if at != judged[0] else "buy"} for at in judged],
        ),
        (
            "INSERT INTO orders VALUES (1, :id, 'cw-first-1', NULL, 'BTC/USDT', 'buy', 'market', '0.01', NULL, "
            "'filled', 'rsi is below', :candle, :at, :at, :at)",
            [{"id": ID, "candle": judged[0], "at": bought_at}],
        ),
        (
            "INSERT INTO trades VALUES (1, :id, 1, 'paper-1', 'BTC/USDT', 'buy', '0.01', :price, :cost, :fee, "
            "'USDT', '0', :at)",
            [{"id": ID, "price": str(price), "cost": cost, "fee": fee, "at": bought_at}],
        ),
        (
            "INSERT INTO positions VALUES (1, :id, 'BTC/USDT', 'open', '0.01', :cost, :entry, '0', :fee, :at, NULL, "
            "NULL)",
            [
                {
                    "id": ID,
                    "cost": entry_cost,
                    "entry": f"{price * 1.001:.8f}",
                    "fee": fee,
                    "at": bought_at,
                }
            ],
        ),
        ("INSERT INTO events VALUES (1, 1, 'backfiller', 'info', 'told', 'long ago', '{}')", [{}]),
    ]
