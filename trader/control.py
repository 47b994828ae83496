"""`python -m trader control`: sets what a strategy, or the whole fleet, may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.controls import FLEET, Control, Controls, ControlState
from common.events import EventLog
from common.registry import Registry

if TYPE_CHECKING:
    from common.database import Database


def set_control(database: Database, state: str, strategy_id: str | None, reason: str) -> str:
    """Sets the switch of one strategy, or of the fleet (None); a line that says what was done.

    Raises:
        ConfigurationError: there is no such strategy.
    """
    scope = FLEET if strategy_id is None else strategy_id
    if scope != FLEET:
        Registry(database).require(scope, key="--strategy-id")
    Controls(database).set(scope, Control(ControlState(state), reason))
    done = f"{strategy_id or 'the fleet'}: {state} ({reason})"
    EventLog(database, scope).keep("warning", "control_set", done)
    return done
