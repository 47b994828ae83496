"""Made-up 5m candles, the same on every run: prices that wander by 0.2 % a candle, in cents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import schema
from common.market_data import insert_rows
from common.partition import Partition
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

BTC_5M = Partition("binance", "BTC/USDT", Timeframe.M5)
START = 1_577_836_800_000  # 2020-01-01T00:00Z

Columns = tuple["NDArray[Any]", ...]


def columns(count: int) -> Columns:
    """Timestamp, open, high, low, close and volume of that many candles."""
    chance = np.random.default_rng(1)
    close = np.round(100 * np.exp(np.cumsum(chance.normal(0, 0.002, count))), 2)
    opened = np.concatenate([[100.0], close[:-1]])
    wick = np.abs(chance.normal(0, 0.001, (2, count)))
    high = np.round(np.maximum(opened, close) * (1 + wick[0]), 2)
    low = np.round(np.minimum(opened, close) * (1 - wick[1]), 2)
    timestamps = START + BTC_5M.timeframe.milliseconds * np.arange(count)
    return timestamps, opened, high, low, close, np.ones(count)


def store(url: str, candles: Columns) -> None:
    """Makes a database with these candles in it."""
    schema.upgrade(url)
    database = schema.open_database(url)
    with database.write() as connection:
        insert_rows(connection, BTC_5M, zip(*(column.tolist() for column in candles), strict=True))
    database.close()
