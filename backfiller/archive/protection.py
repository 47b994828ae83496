"""Which of a partition's candles have to stay in the database, whatever their age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.market_data import nth_newest
from common.registry import Registry

if TYPE_CHECKING:
    import sqlalchemy as sa

    from common.database import Database
    from common.month import Month
    from common.partition import Partition


class Protection:
    """The warm-up of every registered strategy: its newest candles, counted back from the newest."""

    def __init__(self, database: Database) -> None:
        self._registry = Registry(database)

    def allows(self, connection: sa.Connection, partition: Partition, month: Month) -> bool:
        """Whether no registered strategy needs a candle of that month.

        Asked in the transaction that deletes, it holds for a strategy that registered just before.
        """
        warmup = self._registry.needs().get(partition, 0)
        if warmup < 1:
            return True
        needed_from = nth_newest(connection, partition, warmup)
        return needed_from is not None and month.last < needed_from
