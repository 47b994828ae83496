"""What a strategy may do now: running, reduce-only or halted. The SQL of `controls`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.clock import wall_now
from common.statements import upsert
from schema import controls as table
from schema import strategy_metadata

if TYPE_CHECKING:
    from common.database import Database

FLEET = "*"


class ControlState(Enum):
    """From the freest to the strictest."""

    RUNNING = "running"
    REDUCE_ONLY = "reduce_only"  # exits, no entries
    HALTED = "halted"  # no orders at all


_STRICTNESS = list(ControlState)


@dataclass(frozen=True, slots=True)
class Control:
    """What holds for a strategy, why, and until when by the exchange's clock; None: until it is changed."""

    state: ControlState = ControlState.RUNNING
    reason: str = ""
    until: int | None = None


class Controls:
    """The switches of all strategies and of the fleet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, scope: str, control: Control) -> None:
        """Sets the switch of one strategy_id, or of all of them with FLEET."""
        with self._database.write() as connection:
            _put(connection, scope, control)

    def of(self, strategy_id: str, now: int) -> Control:
        """What holds for that strategy at `now`, the exchange's time: the stricter of its switch and the fleet's."""
        with self._database.read() as connection:
            found = [_read(connection, scope, now) for scope in (strategy_id, FLEET)]
        return max(found, key=lambda control: _STRICTNESS.index(control.state))


def newest_change_of(strategy_id: str) -> sa.Select[int | None]:
    """Asks when the switch of that strategy or of the fleet was last set."""
    is_its = sa.or_(table.c.scope == strategy_id, table.c.scope == FLEET)
    return sa.select(sa.func.max(table.c.set_at)).where(is_its)


def tighten(connection: sa.Connection, strategy_id: str, control: Control, now: int) -> bool:
    """Sets the switch of a strategy unless what holds is as strict for as long; whether it was set."""
    if _rank(_read(connection, strategy_id, now)) >= _rank(control):
        return False
    _put(connection, strategy_id, control)
    return True


def halt_live(connection: sa.Connection, reason: str) -> list[str]:
    """Halts every strategy that trades with real money, in a database of any version; which ones."""
    live = sa.select(strategy_metadata.c.strategy_id).where(strategy_metadata.c.mode == "live")
    strategy_ids = sorted(connection.execute(live).scalars())
    columns = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for strategy_id in strategy_ids:
        row = _row(strategy_id, Control(ControlState.HALTED, reason))
        upsert(connection, table, {name: row[name] for name in row if name in columns})
    return strategy_ids


def _rank(control: Control) -> tuple[int, float]:
    until = math.inf if control.until is None else control.until
    return _STRICTNESS.index(control.state), until


def _put(connection: sa.Connection, scope: str, control: Control) -> None:
    upsert(connection, table, _row(scope, control))


def _row(scope: str, control: Control) -> dict[str, str | int | None]:
    return {
        "scope": scope,
        "state": control.state.value,
        "reason": control.reason,
        "set_at": wall_now(),
        "until": control.until,
    }


def _read(connection: sa.Connection, scope: str, now: int) -> Control:
    query = sa.select(table.c.state, table.c.reason, table.c.until).where(table.c.scope == scope)
    row = connection.execute(query).one_or_none()
    if row is None or (row.until is not None and row.until <= now):
        return Control()
    return Control(ControlState(row.state), row.reason, row.until)
