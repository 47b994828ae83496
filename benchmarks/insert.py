"""Batch insert of candles: the suite's own way against bare executemany into the same table.

    python -m benchmarks.insert [--rows 1000000] [--batch 1000] [--rounds 3]

Both ways write the same rows into a database made by schema.py, in transactions of the same size, with the
same driver and pragmas, alternating in one run. `suite` is MarketData.store_candles with its Candle objects;
making them (which also checks them) is measured apart, since it happens once, at the exchange's edge.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import schema
from common.candle import Candle
from common.database import Durability
from common.engine import load_driver
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINUTE = 60_000
PARTITION = Partition("binance", "BTC/USDT", Timeframe.M1)
INSERT = (
    "INSERT OR IGNORE INTO ohlcv_data (exchange, symbol, timeframe, timestamp, open, high, low, close, volume) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def main() -> None:
    """Prints rows a second of each way, and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    began = time.perf_counter()
    candles = [
        Candle(n * MINUTE, 100.0 + n % 7, 110.0, 90.0, 101.5, 12.25 * (n % 11))
        for n in range(options.rows)
    ]
    built_s = time.perf_counter() - began
    print(f"making and checking {options.rows:,} candles: {options.rows / built_s:,.0f} rows/s")
    ways = {"bare": _bare, "suite": _suite}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            rates[name].append(options.rows / _timed(way, candles, options.batch))
    median = {name: statistics.median(values) for name, values in rates.items()}
    for name, rate in median.items():
        print(f"{name:5}: {rate:,.0f} rows/s (median of {options.rounds})")
    print(f"ratio suite / bare: {median['suite'] / median['bare']:.2f}")


def _timed(
    way: Callable[[str, list[Candle], int], None], candles: list[Candle], batch: int
) -> float:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'trading.db'}"
        schema.upgrade(url)
        began = time.perf_counter()
        way(url, candles, batch)
        return time.perf_counter() - began


def _suite(url: str, candles: list[Candle], batch: int) -> None:
    database = schema.open_database(url, durability=Durability.PROCESS_CRASH, checkpoint_pages=1000)
    data = MarketData(database)
    stored = sum(data.store_candles(PARTITION, part) for part in _batches(candles, batch))
    database.close()
    assert stored == len(candles)


def _bare(url: str, candles: list[Candle], batch: int) -> None:
    connection = load_driver().connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "wal_autocheckpoint=1000",
        "mmap_size=0",
    ):
        connection.execute(f"PRAGMA {pragma}")
    key = ("binance", "BTC/USDT", "1m")
    for part in _batches(candles, batch):
        rows = [(*key, c.timestamp, c.open, c.high, c.low, c.close, c.volume) for c in part]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, rows)
        connection.execute("COMMIT")
    connection.close()


def _batches(candles: list[Candle], size: int) -> Iterator[list[Candle]]:
    for start in range(0, len(candles), size):
        yield candles[start : start + size]


if __name__ == "__main__":
    main()
