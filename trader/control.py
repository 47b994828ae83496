"""`python -m trader control`: sets what a strategy, or the whole fleet, may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.controls import FLEET, Controls, ControlState
from common.database import url_from
from common.errors import ConfigurationError
from common.events import EventLog
from common.registry import Registry
from common.settings import nearest
from schema import open_database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `control` takes."""
    parser.add_argument(
        "state",
        choices=[state.value for state in ControlState],
        help="reduce_only: exits and no entries; halted: no orders at all",
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--strategy-id", metavar="ID")
    whose.add_argument("--fleet", action="store_true", help="every strategy of this database")
    parser.add_argument("--reason", required=True, help="kept, shown, and logged")


def set_control(arguments: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Sets the switch; returns a line that says what was done.

    Raises:
        ConfigurationError: there is no such strategy, or no such database.
    """
    database = open_database(url_from(environment))
    try:
        state = ControlState(arguments.state)
        scope = FLEET if arguments.fleet else arguments.strategy_id
        known = Registry(database).strategy_ids()
        if scope != FLEET and scope not in known:
            raise ConfigurationError(
                f"--strategy-id: expected a registered strategy, found {scope!r}; {nearest(scope, known)}"
            )
        Controls(database).set(scope, state, arguments.reason)
        whose = "the fleet" if scope == FLEET else scope
        EventLog(database, scope).record(
            "warning", "control_set", f"{whose} is set to {state.value}: {arguments.reason}"
        )
        return f"{whose}: {state.value} ({arguments.reason})"
    finally:
        database.close()
