"""Candles of database and archive into one file."""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from backfiller.files.frame import frame_of
from backfiller.files.whole_file import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from common.market_data import Row
    from common.partition import Partition

ROW_GROUP = 100_000


@dataclass(slots=True)
class Exported:
    """How many candles were written, and the open times of the first and the last of them."""

    count: int = 0
    first: int = 0
    last: int = 0

    def watched(self, months: Iterable[list[Row]]) -> Iterator[list[Row]]:
        """The same months, counted as they go by."""
        for rows in months:
            self.first = self.first if self.count else rows[0][0]
            self.last = rows[-1][0]
            self.count += len(rows)
            yield rows


def name_of(partition: Partition, suffix: str) -> str:
    """How an exported file is called, so that import knows what it holds."""
    symbol = partition.symbol.replace("/", "-")
    return f"{partition.exchange}_{symbol}_{partition.timeframe}{suffix}"


def export_csv(months: Iterable[list[Row]], path: Path) -> None:
    """Writes candles as CSV with a header, packed if the name ends with .gz.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) as packed:
                _write_csv(months, packed)
        else:
            _write_csv(months, file)


def _write_csv(months: Iterable[list[Row]], file: BinaryIO | gzip.GzipFile) -> None:
    header = True
    for rows in months:
        file.write(frame_of(rows).write_csv(include_header=header).encode())
        header = False


def export_parquet(months: Iterable[list[Row]], path: Path) -> None:
    """Writes candles as Parquet: a part for each month, then one file of them all.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    with (
        replacing(path) as unfinished,
        tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder,
    ):
        parts = []
        for number, rows in enumerate(months):
            parts.append(Path(folder) / f"{number:06}.parquet")
            frame_of(rows).write_parquet(parts[-1])
        whole = pl.scan_parquet(parts) if parts else frame_of([]).lazy()
        whole.sink_parquet(unfinished, row_group_size=ROW_GROUP)
