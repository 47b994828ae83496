"""Which partitions a command is about, as its user types it, and how a table is written for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backfiller.coverage import Selection, known
from common.database import Durability, url_from
from common.errors import ConfigurationError
from common.partition import check_exchange, check_symbol
from common.settings import nearest
from common.timeframe import Timeframe
from schema import open_database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from common.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that select partitions, and `--json`."""
    parser.add_argument("--exchange", metavar="E", help="only of this exchange, such as binance")
    parser.add_argument("--symbol", metavar="S", help="only of this symbol, such as BTC/USDT")
    parser.add_argument("--timeframe", metavar="T", help="only of this timeframe, such as 1h")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON document")


def opened(environment: Mapping[str, str]) -> Database:
    """The database to read.

    Raises:
        ConfigurationError: there is none, or it is of another version.
    """
    return open_database(url_from(environment), durability=Durability.PROCESS_CRASH)


def selection(arguments: argparse.Namespace, database: Database) -> Selection:
    """The partitions that the arguments select.

    Raises:
        ConfigurationError: one of them is none that the database knows.
    """
    given = Selection(arguments.exchange, arguments.symbol, arguments.timeframe)
    if not given.given:
        return given
    if given.exchange is not None:
        check_exchange(given.exchange, key="--exchange")
    if given.symbol is not None:
        check_symbol(given.symbol, key="--symbol")
    if given.timeframe is not None:
        Timeframe.parse(given.timeframe, key="--timeframe")
    keys = known(database)
    if not any(given.has(key) for key in keys):
        _refuse(given, {given.words(key) for key in keys})
    return given


def _refuse(given: Selection, names: set[str]) -> None:
    what = " ".join(given.given.values())
    keys = ", ".join(f"--{name}" for name in given.given)
    hint = nearest(what, names) if names else "the database has none yet"
    raise ConfigurationError(
        f"{keys}: expected a partition of the database, found {what!r}; {hint}"
    )


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[int]
) -> list[str]:
    """A table as lines; the columns of `numbers` are aligned to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return [line(row) for row in (header, *rows)]
