"""What upkeep costs the others, and how long coverage takes: the longest write stall during each step.

    python -m benchmarks.upkeep [--rows 5000000]

Fills a database with that many candles of 30 partitions. Then another process commits a row each ten
milliseconds, as a trader does (synchronous=FULL), while each step of upkeep runs; told is how long the step
took, and how long that process waited for the lock and for its commit.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import schema
from backfiller.coverage import Selection, coverage
from backfiller.upkeep.disk import can_write
from backfiller.upkeep.wal import checkpoint, optimize
from benchmarks.files import _another_writer
from common.database import DatabaseLocked
from common.overview import partitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.database import Database

_FILL = """
INSERT INTO ohlcv_data WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT ?, ?, ?, i * ?, 10.5, 11.5, 9.5, 10.25, 123.456 FROM n WHERE i % 997 <> 5
"""
_SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ADA/USDT")
_TIMEFRAMES = {"1m": 60_000, "5m": 300_000}


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/trading.db"
        schema.upgrade(url)
        database = schema.open_database(url, checkpoint_pages=1_000_000)
        _fill(database, rows // 30)
        checkpoint(database, truncate=True)
        _grow(database)
        steps: dict[str, Callable[[], object]] = {
            "nothing": lambda: time.sleep(3),
            "a large WAL checkpointed and cut": lambda: _cut(database),
            "30 checkpoints, one each 0.1 s": lambda: _often(database),
            "the first PRAGMA optimize": lambda: _optimized(database),
            "a trial of the disk": lambda: can_write(database),
            "the view coverage": lambda: partitions(database),
            "the command coverage": lambda: coverage(database, Selection()),
        }
        for name, step in steps.items():
            with _another_writer(url) as stalls:
                time.sleep(0.3)
                began = time.perf_counter()
                step()
                took = time.perf_counter() - began
            print(f"{name}: {took * 1000:,.0f} ms; {stalls}")
        database.close()


def _fill(database: Database, count: int) -> None:
    for exchange in ("binance", "coinbase", "kraken"):
        for symbol in _SYMBOLS:
            for timeframe, step in _TIMEFRAMES.items():
                with database.write() as connection:
                    row = (count, exchange, symbol, timeframe, step)
                    connection.exec_driver_sql(_FILL, row)


def _grow(database: Database) -> None:
    """Grows the WAL in small commits, as a backfill does."""
    for number in range(400):
        with database.write() as connection:
            row = (1_000, "grown", f"G{number}/USDT", "1m", 60_000)
            connection.exec_driver_sql(_FILL, row)


def _cut(database: Database) -> None:
    """Cuts it; tries again if a writer is in the way."""
    size, tries = Path(f"{database.path}-wal").stat().st_size, 1
    while not checkpoint(database, truncate=True).truncated:
        tries += 1
    print(f"  {size / 1e6:.0f} MB of WAL, tries: {tries}")


def _optimized(database: Database) -> None:
    """Tries again if a writer is in the way, as the backfiller does, a day later."""
    tries = 1
    while True:
        try:
            optimize(database, first=True)
        except DatabaseLocked:
            tries += 1
            time.sleep(0.005)
        else:
            print(f"  tries: {tries}")
            return


def _often(database: Database) -> None:
    for _ in range(30):
        checkpoint(database, truncate=False)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
