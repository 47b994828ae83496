"""What a strategy may do now: running, reduce-only or halted. The SQL of `controls`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.clock import wall_now
from common.statements import upsert
from schema import controls as table

if TYPE_CHECKING:
    from common.database import Database

FLEET = "*"


class ControlState(Enum):
    """From the freest to the strictest."""

    RUNNING = "running"
    REDUCE_ONLY = "reduce_only"  # exits, no entries
    HALTED = "halted"  # no orders at all


@dataclass(frozen=True, slots=True)
class Control:
    """What holds for a strategy, and why."""

    state: ControlState = ControlState.RUNNING
    reason: str = ""


class Controls:
    """The switches of all strategies and of the fleet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, scope: str, state: ControlState, reason: str) -> None:
        """Sets the switch of one strategy_id, or of all of them with FLEET."""
        row = {"scope": scope, "state": state.value, "reason": reason, "set_at": wall_now()}
        with self._database.write() as connection:
            upsert(connection, table, row)

    def of(self, strategy_id: str) -> Control:
        """What holds for that strategy: the stricter of its own switch and the fleet's."""
        query = sa.select(table.c.state, table.c.reason).where(
            table.c.scope.in_([strategy_id, FLEET])
        )
        with self._database.read() as connection:
            found = [
                Control(ControlState(state), reason) for state, reason in connection.execute(query)
            ]
        strictness = list(ControlState)
        return max(found, key=lambda control: strictness.index(control.state), default=Control())
