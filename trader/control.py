"""`python -m trader control`: sets what a strategy, or the whole fleet, may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.controls import FLEET, Control, Controls, ControlState
from common.database import url_from
from common.errors import ConfigurationError
from common.events import EventLog
from common.registry import Registry
from common.settings import nearest
from schema import open_database

if TYPE_CHECKING:
    from collections.abc import Mapping


def set_control(
    state: str, strategy_id: str | None, reason: str, environment: Mapping[str, str]
) -> str:
    """Sets the switch of one strategy, or of the fleet (None); a line that says what was done.

    Raises:
        ConfigurationError: there is no such strategy, or no such database.
    """
    database = open_database(url_from(environment))
    try:
        scope = FLEET if strategy_id is None else strategy_id
        known = Registry(database).strategy_ids()
        if scope != FLEET and scope not in known:
            raise ConfigurationError(
                f"--strategy-id: expected a registered strategy, found {scope!r}; {nearest(scope, known)}"
            )
        Controls(database).set(scope, Control(ControlState(state), reason))
        done = f"{strategy_id or 'the fleet'}: {state} ({reason})"
        EventLog(database, scope).keep("warning", "control_set", done)
        return done
    finally:
        database.close()
