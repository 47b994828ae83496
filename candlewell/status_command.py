"""`candlewell status`: the fleet at a glance, once or again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from candlewell import options
from candlewell.listing import console, document
from candlewell.status import status_of
from common.times import utc

if TYPE_CHECKING:
    from rich.console import Group

    from candlewell.status import Status
    from common.database import Database

_LOOK_EVERY_S = 1.0


@click.command(epilog="Example, for a monitor: candlewell status --json >status.json || notify")
@click.option("--watch", is_flag=True, help="Look again every second, until Ctrl-C.")
@options.as_json
def status(watch: bool, as_json: bool) -> int:
    """Daemons, exchanges, partitions and strategies at a glance.

    What wants a person comes first, a line each; the exit status is 1 if there is such a line.
    """
    if watch and as_json:
        raise click.UsageError("--watch, --json: expected one of them, found both")
    with options.opened() as database:
        if watch:
            return _watch(database)
        found = status_of(database)
    if as_json:
        click.echo(document(found.as_document()))
    else:
        console().print(_screen(found))
    return 1 if found.attention else 0


def _watch(database: Database) -> int:
    from rich.live import Live  # noqa: PLC0415 - JSON does without

    try:
        with Live(console=console(), auto_refresh=False, screen=True) as live:
            while True:
                live.update(_screen(status_of(database)), refresh=True)
                time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        return 0


def _screen(found: Status) -> Group:
    from rich.text import Text  # noqa: PLC0415

    from candlewell.status_tables import screen  # noqa: PLC0415

    title = Text("Candlewell, ", style="bold").append(f"{utc(found.now, seconds=True)} UTC")
    if not found.attention:
        title.append(": all is well", style="green")
    return screen(title, found)


COMMANDS = {"status": status}
