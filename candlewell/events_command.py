"""`candlewell events`: the event log."""

from __future__ import annotations

from typing import Any

import click

from candlewell import options
from candlewell.listing import Column, Time, show
from common.events import Wanted, newest
from common.times import span_of

_COLUMNS = (
    Column("UTC", "timestamp"),
    Column("source", "source"),
    Column("level", "level"),
    Column("kind", "kind"),
    Column("message", "message"),
)


@click.command(epilog="Example: candlewell events --level warning --since 2026-01-31")
@click.option("--source", metavar="NAME", help="Only of this one: backfiller, or a strategy_id.")
@click.option(
    "--level",
    type=click.Choice(["info", "warning", "error"]),
    default="info",
    help="Only of this level and above.",
)
@click.option("--kind", metavar="KIND", help="Only of this sort, such as candle_rejected.")
@options.since
@options.limit
@options.as_json
def events(
    *,
    source: str | None,
    level: str,
    kind: str | None,
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """What happened that somebody may ask about, newest first.

    docs/OPERATIONS.md says what each kind means, and what to do.
    """
    start, _ = span_of(since, None)
    wanted = Wanted(source=source, least_level=level, kind=kind, since=start)
    with options.opened() as database:
        rows = [_row(event) for event in newest(database, wanted, limit)]
    show(rows, _COLUMNS, as_json=as_json, nothing="no such event")


def _row(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"timestamp": Time(event["timestamp"])}


COMMANDS = {"events": events}
