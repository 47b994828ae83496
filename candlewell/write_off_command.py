"""`candlewell write-off`: for coins that are no longer where the books say."""

from __future__ import annotations

import click

from candlewell import options
from trader.write_off import write_off


@click.command(
    "write-off",
    epilog="Example: candlewell write-off trader-btc-binance-1h --reason 'sold by hand'",
)
@click.argument("strategy_id", metavar="STRATEGY_ID")
@click.option("--reason", metavar="TEXT", required=True, help="Kept with the position, and shown.")
def command(strategy_id: str, reason: str) -> None:
    """Close a position in the books, whose coins are gone.

    Nothing is sold, and what of it is still at the exchange is in no book afterwards. What it cost becomes a loss of the
    strategy's, also if you got something for the coins, and may reach its limits of losses. Its trader has to be stopped.
    """
    with options.opened() as database:
        click.echo(write_off(database, strategy_id, reason))


COMMANDS = {"write-off": command}
