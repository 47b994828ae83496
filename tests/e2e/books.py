"""What must be true of any database of the suite, whatever happened to the processes that wrote it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa
from ta.momentum import RSIIndicator

import schema
from common.partition import Partition
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from common.database import Database


def rows(database: Database, statement: str, **parameters: object) -> list[dict[str, Any]]:
    """What a statement answers, a mapping a row."""
    with database.read() as connection:
        return [dict(row) for row in connection.execute(sa.text(statement), parameters).mappings()]


def ledger(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    """All rows of a table of schema.py in the order they were written, money as Decimal."""
    with database.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def stored_partitions(database: Database) -> list[Partition]:
    """Every partition that has candles."""
    found = rows(database, "SELECT DISTINCT exchange, symbol, timeframe FROM ohlcv_data")
    return [Partition(r["exchange"], r["symbol"], Timeframe.parse(r["timeframe"])) for r in found]


def assert_file_is_sound(database: Database) -> None:
    """The file, its keys, and every table and view answer."""
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    for name in (*schema.metadata.tables, *schema.view_definitions("sqlite")):
        rows(database, f"SELECT * FROM {name} LIMIT 5")


def assert_candles_are_the_exchanges(database: Database, exchange_url: str) -> None:
    """Each stored candle equals the practice exchange's own closed one: none was stored while open."""
    for partition in stored_partitions(database):
        stored = rows(
            database,
            "SELECT timestamp, open, high, low, close, volume FROM ohlcv_data WHERE exchange = :exchange "
            "AND symbol = :symbol AND timeframe = :timeframe ORDER BY timestamp",
            exchange=partition.exchange,
            symbol=partition.symbol,
            timeframe=partition.timeframe.value,
        )
        truth = _truth(exchange_url, partition, stored[0]["timestamp"], stored[-1]["timestamp"])
        assert [tuple(row.values()) for row in stored] == truth, partition


def _truth(
    exchange_url: str, partition: Partition, first: int, last: int
) -> list[tuple[float, ...]]:
    found: list[tuple[float, ...]] = []
    since = first
    while since <= last:
        query = urllib.parse.urlencode(
            {
                "exchange": partition.exchange,
                "symbol": partition.symbol,
                "timeframe": partition.timeframe.value,
                "since": since,
                "limit": 10_000,
            }
        )
        with urllib.request.urlopen(
            f"{exchange_url}/practice/candles?{query}", timeout=30
        ) as answer:
            page = [tuple(row) for row in json.load(answer)]
        if not page:
            break
        found += page
        since = int(page[-1][0]) + partition.timeframe.milliseconds
    return [row for row in found if row[0] <= last]


def assert_every_candle_has_its_signal(database: Database) -> None:
    """From a strategy's first signal on, no candle was passed over and none was judged twice."""
    for strategy in rows(database, "SELECT strategy_id, timeframe FROM strategy_metadata"):
        times = [
            row["timestamp"]
            for row in rows(
                database,
                "SELECT timestamp FROM signals WHERE strategy_id = :id ORDER BY timestamp",
                id=strategy["strategy_id"],
            )
        ]
        step = Timeframe.parse(strategy["timeframe"]).milliseconds
        assert times, strategy
        assert {later - earlier for earlier, later in pairwise(times)} <= {step}, strategy


def assert_rsi_is_that_of_the_whole_history(database: Database) -> None:
    """Each RSI in `signals` equals `ta` over all stored candles of its partition, to 1e-6."""
    for strategy in rows(database, "SELECT * FROM strategy_metadata"):
        candles = pd.DataFrame(
            rows(
                database,
                "SELECT timestamp, close FROM ohlcv_data WHERE exchange = :exchange AND symbol = :symbol "
                "AND timeframe = :timeframe ORDER BY timestamp",
                **{name: strategy[name] for name in ("exchange", "symbol", "timeframe")},
            )
        ).set_index("timestamp")
        period = json.loads(strategy["parameters"])["period"]
        expected = RSIIndicator(candles["close"], window=period).rsi()
        written = rows(
            database,
            "SELECT timestamp, rsi FROM signals WHERE strategy_id = :id AND rsi IS NOT NULL",
            id=strategy["strategy_id"],
        )
        assert written, strategy
        for row in written:
            assert abs(row["rsi"] - expected[row["timestamp"]]) < 1e-6


def assert_books_add_up(database: Database) -> None:
    """Every filled order has its trade, every trade its order, and positions are the sum of trades."""
    orders, trades = ledger(database, schema.orders), ledger(database, schema.trades)
    positions = ledger(database, schema.positions)
    filled = {order["order_id"] for order in orders if order["status"] == "filled"}
    assert filled == {trade["order_id"] for trade in trades}
    assert len(filled) == len(trades)
    for strategy in rows(database, "SELECT strategy_id FROM strategy_metadata"):
        mine = [trade for trade in trades if trade["strategy_id"] == strategy["strategy_id"]]
        held = sum((t["amount"] if t["side"] == "buy" else -t["amount"] for t in mine), Decimal(0))
        open_ = [
            p
            for p in positions
            if p["strategy_id"] == strategy["strategy_id"] and p["status"] == "open"
        ]
        assert held == sum((position["amount"] for position in open_), Decimal(0))
        sides = [trade["side"] for trade in sorted(mine, key=lambda trade: trade["trade_id"])]
        assert sides == (["buy", "sell"] * len(sides))[: len(sides)]
