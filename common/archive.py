"""The archive: candles that left the database, as Parquet files by exchange, symbol, timeframe and month.

    <data folder>/archive/binance/BTC-USDT/1h/2024-01.parquet

Only `backfiller.archive` writes there. Reading loads polars, and only when there is a file to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import ConfigurationError, RejectedError
from common.month import Month

if TYPE_CHECKING:
    from pathlib import Path

    from common.database import Database
    from common.market_data import Row
    from common.partition import Partition

FOLDER = "archive"
SUFFIX = ".parquet"


class BadArchive(RejectedError):
    """An archive file that cannot be read; the message names it."""


class Archive:
    """The archived candles beside one database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, database: Database) -> Archive:
        """The archive that belongs to a database: in its folder."""
        return cls(database.path.parent / FOLDER)

    def path(self, partition: Partition, month: Month) -> Path:
        """Where that month is, or would be."""
        return self._folder_of(partition) / f"{month}{SUFFIX}"

    def months(self, partition: Partition) -> list[Month]:
        """The archived months, oldest first."""
        files = self._folder_of(partition).glob(f"*{SUFFIX}")
        return sorted(month for file in files if (month := Month.parse(file.stem)))

    def read(self, partition: Partition, month: Month) -> list[Row]:
        """The candles of an archived month, oldest first; none if it is not archived.

        Raises:
            BadArchive: the file is there and cannot be read.
            ConfigurationError: this installation lacks polars.
        """
        path = self.path(partition, month)
        return read_file(path) if path.exists() else []

    def version(self, partition: Partition, month: Month) -> tuple[int, int] | None:
        """What changes whenever that month's file is replaced; None if there is none."""
        try:
            status = self.path(partition, month).stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _folder_of(self, partition: Partition) -> Path:
        symbol = partition.symbol.replace("/", "-")
        return self.folder / partition.exchange / symbol / partition.timeframe.value


def read_file(path: Path) -> list[Row]:
    """The candles of one archive file. See `Archive.read`."""
    try:
        import polars as pl  # noqa: PLC0415 - 45 MB that only who reads an archive pays
    except ImportError:
        raise ConfigurationError(
            f"polars: expected it to be installed, to read {path}; found none: use the suite's requirements"
        ) from None
    columns = ("timestamp", "open", "high", "low", "close", "volume")
    try:
        # From memory: a file that is mapped and then cut short by somebody would end the process.
        return pl.read_parquet(path.read_bytes(), columns=list(columns)).select(columns).rows()
    except (pl.exceptions.PolarsError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadArchive(f"{path}: expected an archived month, found: {said}") from None
