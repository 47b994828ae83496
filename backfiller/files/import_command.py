"""`python -m backfiller import FILES...`: candles from files into the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backfiller.files.errors import BadFile
from backfiller.files.formats import Format, format_of
from backfiller.files.importing import import_file, record
from backfiller.files.names import Guess, partition_of
from backfiller.files.telling import complain, tell
from backfiller.files.text import require_file
from common.archive import BadArchive
from common.clock import wall_now
from common.database import Durability, url_from
from common.errors import ConfigurationError
from common.events import EventLog
from common.exchange import api_url
from common.exchange_status import Exchanges
from schema import open_database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from common.database import Database

ABOUT = "Candles from files into the database."

_CHECKPOINT_PAGES = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--exchange", help="whose candles they are, where the file's name does not tell"
    )
    parser.add_argument("--symbol", metavar="BASE/QUOTE")
    parser.add_argument("--timeframe", help="1m, 5m, 15m, 1h, 4h or 1d")
    parser.add_argument(
        "--format",
        choices=[kind.value for kind in Format],
        help="default: what name and content tell",
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Imports the files and prints a line for each.

    Returns:
        0: every row is in the database as it is in its file; 1: some were rejected or differ from the
        candle that is there; 2: a file could not be imported as a whole. The worst of the files counts.

    Raises:
        ConfigurationError: the database cannot be used.
    """
    database = open_database(
        url_from(environment),
        durability=Durability.PROCESS_CRASH,
        checkpoint_pages=_CHECKPOINT_PAGES,
    )
    try:
        return max(_one(path, arguments, environment, database) for path in arguments.files)
    finally:
        database.close()


def _one(
    path: Path, arguments: argparse.Namespace, environment: Mapping[str, str], database: Database
) -> int:
    events = EventLog(database, "backfiller")
    told = Guess(arguments.exchange, arguments.symbol, arguments.timeframe)
    try:
        require_file(path)
        partition = partition_of(path, told)
        kind = Format(arguments.format) if arguments.format else format_of(path)
        # Rows of a file are the real market's: they do not go where a practice exchange's are.
        source = api_url(partition.exchange, environment)
        Exchanges(database).require_source(partition.exchange, source)
        summary = import_file(path, kind, partition, database, now=wall_now())
    except (BadFile, BadArchive, ConfigurationError) as error:
        complain("import", error)
        events.keep("error", "file_refused", str(error), file=str(path))
        return 2
    record(summary, events)
    tell(summary)
    return 0 if summary.is_clean else 1
