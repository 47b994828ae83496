"""`python -m backfiller export`: candles of database and archive into a CSV or Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backfiller.files.exporting import Exported, export_csv, export_parquet, name_of
from backfiller.files.telling import complain, tell
from common.archive import BadArchive
from common.database import url_from
from common.errors import ConfigurationError
from common.history import History
from common.partition import Partition, check_exchange, check_symbol
from common.timeframe import Timeframe
from common.times import span_of, utc
from schema import open_database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

ABOUT = "Candles of database and archive into a CSV or Parquet file."

_FORMATS = ("csv", "parquet")
_SUFFIXES = {".csv": "csv", ".gz": "csv", ".parquet": "parquet"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--symbol", required=True, metavar="BASE/QUOTE")
    parser.add_argument("--timeframe", required=True, help="1m, 5m, 15m, 1h, 4h or 1d")
    parser.add_argument(
        "--since", metavar="ISO", help="the first open time, such as 2025-01-01 (UTC)"
    )
    parser.add_argument("--until", metavar="ISO", help="candles that opened before it")
    parser.add_argument("--format", choices=_FORMATS, help="default: as --output ends, or csv")
    parser.add_argument(
        "--output",
        metavar="FILE|FOLDER",
        default=".",
        help="default: this folder, under a name of its own",
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Exports one partition and prints what was written.

    Returns:
        0: written; 1: there is no such candle, and no file was made; 2: an archive file is damaged.

    Raises:
        ConfigurationError: an option is not possible, or database or file cannot be used.
    """
    partition = Partition(
        check_exchange(arguments.exchange, key="--exchange"),
        check_symbol(arguments.symbol, key="--symbol"),
        Timeframe.parse(arguments.timeframe, key="--timeframe"),
    )
    since, before = span_of(arguments.since, arguments.until)
    path, kind = _target(partition, arguments.output, arguments.format)
    database = open_database(url_from(environment))
    try:
        history = History(database)
        until = None if before is None else before - 1
        if next(history.candles(partition, since, until), None) is None:
            complain("export", f"expected candles of {partition} in that time, found none")
            return 1
        written = Exported()
        write = export_csv if kind == "csv" else export_parquet
        write(written.watched(history.months(partition, since, until)), path)
    except BadArchive as error:
        complain("export", error)
        return 2
    finally:
        database.close()
    tell(
        f"{path}: {partition}: {written.count} candles from {utc(written.first)} to {utc(written.last)} UTC"
    )
    return 0


def _target(partition: Partition, output: str, told: str | None) -> tuple[Path, str]:
    """The file to write, and its format."""
    path = Path(output)
    if path.is_dir() or output.endswith("/"):
        kind = told or "csv"
        return path / name_of(partition, f".{kind}"), kind
    kind = told or _SUFFIXES.get(path.suffix.lower(), "")
    if not kind:
        raise ConfigurationError(
            f"--output: expected a folder, or a name that ends with .csv, .csv.gz or .parquet, found {output!r}"
        )
    return path, kind
