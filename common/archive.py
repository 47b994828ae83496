"""The archive: candles that left the database, as Parquet files by exchange, symbol, timeframe and month.

    <data folder>/archive/binance/BTC-USDT/1h/2024-01.parquet

Only `backfiller.archive` writes there. Reading loads polars, and only when there is a file to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.clock import wall_now
from common.errors import ConfigurationError, RejectedError
from common.month import Month
from common.partition import Partition
from common.statements import upsert
from common.timeframe import Timeframe
from schema import archived_months as table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from common.database import Database
    from common.market_data import Row

FOLDER = "archive"
SUFFIX = ".parquet"


class BadArchive(RejectedError):
    """An archive file that cannot be read; the message names it."""


class Archive:
    """The archived candles that belong to a database, in its folder; the SQL of `archived_months`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.folder = database.path.parent / FOLDER

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

    def spans(self, partition: Partition) -> list[tuple[int, int]]:
        """The first and the last open time of each archived month, oldest first, without reading a file.

        Who looks for what is missing counts these as there.
        """
        query = sa.select(table.c.first, table.c.last).where(_in(partition)).order_by(table.c.first)
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def noted(self) -> list[tuple[Partition, Month]]:
        """The months that the database says are archived."""
        query = sa.select(table.c.exchange, table.c.symbol, table.c.timeframe, table.c.month)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            (Partition(exchange, symbol, Timeframe(timeframe)), month)
            for exchange, symbol, timeframe, name in rows
            if (month := Month.parse(name))
        ]

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
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadArchive(f"{path}: expected an archived month, found: {said}") from None


def note_archived(
    connection: sa.Connection, partition: Partition, month: Month, rows: Sequence[Row]
) -> None:
    """Says in the database that the month's file holds these candles, in the caller's transaction."""
    row = {
        "exchange": partition.exchange,
        "symbol": partition.symbol,
        "timeframe": partition.timeframe.value,
        "month": str(month),
        "first": rows[0][0],
        "last": rows[-1][0],
        "candles": len(rows),
        "updated_at": wall_now(),
    }
    upsert(connection, table, row)


def forget_archived(connection: sa.Connection, partition: Partition, month: Month) -> None:
    """Says that there is no such file any more, in the caller's transaction."""
    gone = sa.delete(table).where(_in(partition), table.c.month == str(month))
    connection.execute(gone)


def _in(partition: Partition) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.exchange == partition.exchange,
        table.c.symbol == partition.symbol,
        table.c.timeframe == partition.timeframe.value,
    )
