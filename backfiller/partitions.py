"""What a person should know of a partition beside its candles: the SQL of `partitions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.clock import wall_now
from common.statements import upsert
from schema import partitions as table

if TYPE_CHECKING:
    from common.database import Database
    from common.partition import Partition
    from common.timeframe import Timeframe


class Partitions:
    """How each partition is kept, where that is not plain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_built(self, partition: Partition, source: Timeframe | None) -> None:
        """Says of what its candles are made; None: they are fetched as they are."""
        name = None if source is None else source.value
        known = sa.select(table.c.built_from).where(_of(partition))
        with self._database.read() as connection:
            if connection.execute(known).scalar() == name:
                return
        with self._database.write() as connection:
            _upsert(connection, partition, built_from=name)


def record_reach(connection: sa.Connection, partition: Partition, reach: int, note: str) -> bool:
    """Notes how far back the exchange's API goes, in the caller's transaction; whether that was new."""
    query = sa.select(table.c.note).where(_of(partition), table.c.reach.is_not(None))
    said = connection.execute(query).scalar()
    _upsert(connection, partition, reach=reach, note=note)
    return said is None


def _upsert(connection: sa.Connection, partition: Partition, **values: str | int | None) -> None:
    key = {
        "exchange": partition.exchange,
        "symbol": partition.symbol,
        "timeframe": partition.timeframe.value,
    }
    upsert(connection, table, key | values | {"updated_at": wall_now()})


def _of(partition: Partition) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.exchange == partition.exchange,
        table.c.symbol == partition.symbol,
        table.c.timeframe == partition.timeframe.value,
    )
