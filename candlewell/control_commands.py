"""`candlewell halt` and `candlewell resume`: what a strategy, or the fleet, may do."""

from __future__ import annotations

import click

from candlewell import options
from common.errors import ConfigurationError
from trader.control import set_control

_whose = click.argument("strategy_ids", metavar="[STRATEGY_ID]...", nargs=-1)
_fleet = click.option("--fleet", is_flag=True, help="Every strategy of this database.")
_reason = click.option("--reason", metavar="TEXT", required=True, help="Kept, shown, and logged.")


@click.command(epilog="Example: candlewell halt --fleet --reason 'going on holiday'")
@_whose
@_fleet
@_reason
@click.option("--reduce-only", is_flag=True, help="Let positions be closed, and none be opened.")
def halt(strategy_ids: tuple[str, ...], fleet: bool, reason: str, reduce_only: bool) -> None:
    """Let a strategy, or the fleet, place no more orders.

    Obeyed within a second. What is held stays held, also where a stop-loss would sell it: to let a position be
    closed, use --reduce-only.
    """
    _set("reduce_only" if reduce_only else "halted", strategy_ids, fleet=fleet, reason=reason)


@click.command(epilog="Example: candlewell resume trader-btc-binance-1h --reason 'looked at it'")
@_whose
@_fleet
@_reason
def resume(strategy_ids: tuple[str, ...], fleet: bool, reason: str) -> None:
    """Let a strategy, or the fleet, trade again.

    A strategy may trade if neither its own switch nor the fleet's is against it.
    """
    _set("running", strategy_ids, fleet=fleet, reason=reason)


def _set(state: str, strategy_ids: tuple[str, ...], *, fleet: bool, reason: str) -> None:
    if fleet == bool(strategy_ids):
        found = "both" if fleet else "neither"
        raise ConfigurationError(f"STRATEGY_ID, --fleet: expected one of them, found {found}")
    with options.opened() as database:
        options.known(database, strategy_ids)  # all of them, before the first is set
        for strategy_id in strategy_ids or (None,):
            click.echo(set_control(database, state, strategy_id, reason))


COMMANDS = {"halt": halt, "resume": resume}
