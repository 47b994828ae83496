"""Made-up candles, and files of them as other programs write them."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

import schema
from backfiller.files.frame import COLUMNS, frame_of
from common.candle import Candle
from common.database import Durability
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from common.database import Database
    from common.market_data import Row

HOUR = 3_600_000
PARTITION = Partition("binance", "BTC/USDT", Timeframe.H1)


def at(text: str) -> int:
    """A UTC time in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


START = at("2024-01-01")


def candles(count: int, *, start: int = START, step: int = HOUR) -> list[Row]:
    """A row of candles, each opening at the close of the one before."""
    prices = [100.0 + (n * 37 % 101) / 8 for n in range(count + 1)]
    return [
        (start + n * step, a, max(a, b) + 0.1, min(a, b) - 0.1, b, n % 13 * 1.1)
        for n, (a, b) in enumerate(pairwise(prices))
    ]


def open_database(url: str) -> Database:
    return schema.open_database(url, durability=Durability.PROCESS_CRASH)


def store(database: Database, rows: Sequence[Row], partition: Partition = PARTITION) -> None:
    MarketData(database).store_candles(partition, [Candle(*row) for row in rows])


def stored(database: Database, partition: Partition = PARTITION) -> list[Row]:
    return MarketData(database).candles_between(partition, 0, 1 << 60)


def csv_text(rows: Sequence[Sequence[object]], header: str = ",".join(COLUMNS)) -> str:
    lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


def write_csv(
    path: Path, rows: Sequence[Sequence[object]], header: str = ",".join(COLUMNS)
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = csv_text(rows, header).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def write_binance(path: Path, rows: Sequence[Row], *, factor: int = 1, header: str = "") -> Path:
    """Binance's public archive: a zip of one CSV of twelve columns."""
    wide = [
        (row[0] * factor, *row[1:], (row[0] + HOUR) * factor - 1, 1.5, 7, 0.5, 0.25, 0)
        for row in rows
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(path.with_suffix(".csv").name, csv_text(wide, header))
    return path


def write_kraken(path: Path, rows: Sequence[Row]) -> Path:
    return write_csv(path, [(row[0] // 1000, *row[1:], 12) for row in rows], header="")


def write_json(path: Path, rows: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([list(row) for row in rows]), encoding="utf-8")
    return path


def write_feather(path: Path, rows: Sequence[Row], unit: str = "ms") -> Path:
    """As pandas and freqtrade write it: `date` in UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = pl.from_epoch("timestamp", time_unit="ms").dt.cast_time_unit(unit)  # type: ignore[arg-type]
    dated = frame_of(rows).with_columns(date=time.dt.replace_time_zone("UTC"))
    dated.select("date", *COLUMNS[1:]).write_ipc(path, compression="lz4")
    return path


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame_of(rows).write_parquet(path)
    return path
