"""One run over all partitions: what is older than its retention moves to the archive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backfiller.archive.moving import Moved, Mover
from backfiller.archive.protection import Protection
from backfiller.archive.space import give_back
from common.archive import Archive, BadArchive, forget_archived
from common.exchange_status import Exchanges
from common.market_data import MarketData
from common.month import Month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backfiller.settings import RetentionSettings
    from common.database import Database
    from common.events import EventLog
    from common.partition import Partition


@dataclass(slots=True)
class Run:
    """What one run did."""

    moved: list[Moved] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    pages_given_back: int = 0


def archive(
    database: Database,
    retention: RetentionSettings,
    events: EventLog,
    *,
    now: int,
    tell: Callable[[object], None] = lambda _moved: None,
) -> Run:
    """Moves every month that is due, and gives the space back. Safe to be killed, and to be run again.

    Args:
        database: whose candles, and beside which the archive is.
        retention: how long the database keeps them.
        events: where each moved month, and each that could not be, is noted.
        now: this machine's time, in milliseconds; the age of a candle is by its exchange's clock.
        tell: called with each month that has moved.

    Raises:
        DatabaseLocked: the write lock was not to be had within 10 seconds.
        ConfigurationError: the archive cannot be written.
    """
    run = Run()
    store = Archive(database)
    _forget_lost_files(database, store, events)
    mover = Mover(database, store, Protection(database))
    for partition, month in due(database, retention, now=now):
        try:
            moved = mover.move(partition, month)
        except BadArchive as error:
            run.failed.append(str(error))
            events.keep("error", "archive_failed", str(error), partition=str(partition))
            continue
        if moved is not None:
            run.moved.append(moved)
            events.keep("info", "month_archived", str(moved), candles=moved.deleted)
            tell(moved)
    run.pages_given_back = give_back(database)
    return run


def due(
    database: Database, retention: RetentionSettings, *, now: int
) -> Iterator[tuple[Partition, Month]]:
    """The months with candles that lie wholly before the retention, and that no strategy needs."""
    market_data, protection = MarketData(database), Protection(database)
    exchanges = Exchanges(database)
    for partition in market_data.partitions():
        # A practice exchange may live in another year than this machine.
        clock = exchanges.clock(partition.exchange)
        market_now = now if clock is None else clock.at(now)
        keep_from = market_now - retention.span(partition.timeframe)
        oldest = market_data.oldest_candle(partition)
        if oldest is None:
            continue
        month = Month.of(oldest)
        while month.last < keep_from:
            with database.read() as connection:
                if not protection.allows(connection, partition, month):
                    break  # it needs every later one too
            yield partition, month
            month = month.next()


def _forget_lost_files(database: Database, store: Archive, events: EventLog) -> None:
    """Files that the user has taken away are not counted as there any more."""
    for partition, month in store.noted():
        path = store.path(partition, month)
        if not path.exists():
            with database.write() as connection:
                forget_archived(connection, partition, month)
            events.keep("warning", "archive_missing", f"{path}: archived before, and gone now")
