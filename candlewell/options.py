"""Options that several commands share, and the database that they are about."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from common.database import url_from
from common.registry import Registry
from schema import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from common.database import Database

as_json = click.option("--json", "as_json", is_flag=True, help="For programs: one JSON document.")
strategies = click.option(
    "--strategy-id",
    "strategy_ids",
    metavar="ID",
    multiple=True,
    help="Only of this one; may be repeated.",
)
since = click.option(
    "--since", metavar="TIME", help="From then on, in UTC, such as 2026-01-31 or 2026-01-31T12:00."
)
limit = click.option(
    "--limit",
    type=click.IntRange(min=1, max=1_000_000),
    default=20,
    show_default=True,
    help="At most so many.",
)


@contextmanager
def opened() -> Iterator[Database]:
    """The database that the environment names.

    Raises:
        ConfigurationError: there is none, or it is of another version.
    """
    database = open_database(url_from(os.environ))
    try:
        yield database
    finally:
        database.close()


def known(database: Database, strategy_ids: Sequence[str]) -> tuple[str, ...]:
    """These strategies, each of which is registered.

    Raises:
        ConfigurationError: one is not.
    """
    registry = Registry(database)
    for strategy_id in strategy_ids:
        registry.require(strategy_id, key="strategy_id")
    return tuple(strategy_ids)
