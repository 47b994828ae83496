"""`python -m backfiller archive`: moves old candles from the database to Parquet files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backfiller.archive.archiving import archive, due
from backfiller.files.telling import complain, tell
from backfiller.settings import load_settings
from common.clock import wall_now
from common.database import Durability, url_from
from common.events import EventLog
from common.instance import Instance
from common.market_data import MarketData
from schema import open_database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from backfiller.settings import RetentionSettings
    from common.database import Database

ABOUT = "Move old candles from the database to Parquet files beside it."

_CHECKPOINT_PAGES = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would move, and move nothing"
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Archives what is due and prints a line for each month.

    Returns:
        0: done; 1: some month could not be archived, and stays in the database.

    Raises:
        ConfigurationError: settings, database or archive cannot be used, or an archiver is running.
    """
    retention = load_settings(environment).retention
    database = open_database(
        url_from(environment),
        durability=Durability.PROCESS_CRASH,
        checkpoint_pages=_CHECKPOINT_PAGES,
    )
    try:
        if arguments.dry_run:
            return _foretell(database, retention)
        instance = Instance(database.path.parent, "archive", key="archive")
        try:
            return _archive(database, retention)
        finally:
            instance.release()
    finally:
        database.close()


def _archive(database: Database, retention: RetentionSettings) -> int:
    done = archive(database, retention, EventLog(database, "backfiller"), now=wall_now(), tell=tell)
    for problem in done.failed:
        complain("archive", problem)
    tell(
        f"{sum(moved.deleted for moved in done.moved)} candles of {len(done.moved)} months archived, "
        f"{done.pages_given_back} pages given back"
    )
    return 1 if done.failed else 0


def _foretell(database: Database, retention: RetentionSettings) -> int:
    market_data = MarketData(database)
    for partition, month in due(database, retention, now=wall_now()):
        candles = len(market_data.timestamps(partition, month.start, month.last))
        if candles:
            tell(f"{partition} {month}: {candles} candles would be archived")
    return 0
