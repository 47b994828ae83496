"""What all workers use: made once in `__main__`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backfiller.database_thread import DatabaseThread
from backfiller.gaps import Gaps
from backfiller.partitions import Partitions
from common.archive import Archive
from common.events import EventLog
from common.exchange_status import Exchanges
from common.market_data import MarketData

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backfiller.progress import Progress
    from backfiller.settings import BackfillerSettings
    from common.database import Database

SOURCE = "backfiller"


@dataclass(frozen=True, slots=True)
class Shared:
    """The database and what stands around it."""

    settings: BackfillerSettings
    environment: Mapping[str, str]
    database: Database
    thread: DatabaseThread
    market_data: MarketData
    exchanges: Exchanges
    gaps: Gaps
    partitions: Partitions
    archive: Archive
    events: EventLog
    progress: Progress

    @classmethod
    def of(
        cls,
        settings: BackfillerSettings,
        environment: Mapping[str, str],
        database: Database,
        progress: Progress,
    ) -> Shared:
        """All that stands around that database."""
        return cls(
            settings,
            environment,
            database,
            DatabaseThread(),
            MarketData(database),
            Exchanges(database),
            Gaps(database),
            Partitions(database),
            Archive(database),
            EventLog(database, SOURCE),
            progress,
        )

    async def record(self, level: str, kind: str, message: str, **detail: Any) -> None:
        """Writes an event."""
        await self.thread.run(self.events.record, level, kind, message, **detail)

    async def record_once(self, level: str, kind: str, message: str, **detail: Any) -> None:
        """Writes an event unless it was written before, by this run or an earlier one."""
        if not await self.thread.run(self.events.has, kind, message):
            await self.record(level, kind, message, **detail)
