"""What a run sees of its traders in their database: who has an order on its way, who is behind, who has halted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

import schema
from tests.accelerated_live.plan import TRADERS

if TYPE_CHECKING:
    from common.database import Database
    from scripts.local_suite import LocalSuite

OVER = "the days are over"  # why the traders are halted at the end
_AMID_WITHIN_S = 20.0  # so long a kill waits for an order to strike amid
_UNDONE = schema.orders.c.status.in_(("new", "open"))


def await_order(suite: LocalSuite, database: Database, victim: str) -> bool:
    """Waits until an order is on its way, of the victim if that is a trader; whether there is one."""
    query = sa.select(schema.orders.c.strategy_id).where(_UNDONE)
    if victim in {one.strategy_id for one in TRADERS}:
        query = query.where(schema.orders.c.strategy_id == victim)
    deadline = time.monotonic() + _AMID_WITHIN_S
    while time.monotonic() < deadline:
        with database.read() as connection:
            if connection.execute(query).first() is not None:
                return True
        suite.require_running()
        time.sleep(0.001)
    return False


def behind(database: Database, end: int) -> list[str]:
    """The traders that do not trade yet, or have not seen the last candle of the days."""
    beats, last = schema.heartbeats, sa.func.max(schema.signals.c.timestamp)
    left = []
    with database.read() as connection:
        told = connection.execute(sa.select(beats.c.daemon, beats.c.state)).all()
        states = {row.daemon: row.state for row in told}
        for trading in TRADERS:
            query = sa.select(last).where(schema.signals.c.strategy_id == trading.strategy_id)
            seen = connection.execute(query).scalar() or 0
            if states.get(trading.strategy_id) != "running" or seen < end:
                left.append(trading.strategy_id)
    return left


def not_halted(database: Database) -> list[str]:
    """The traders that have not said yet that they send no more orders."""
    beats = schema.heartbeats
    query = sa.select(beats.c.daemon).where(beats.c.detail == f"halted ({OVER})")
    with database.read() as connection:
        halted = set(connection.execute(query).scalars())
    return [one.strategy_id for one in TRADERS if one.strategy_id not in halted]


def undone(database: Database) -> list[str]:
    """The traders that have an order on its way."""
    with database.read() as connection:
        return list(
            connection.execute(sa.select(schema.orders.c.strategy_id).where(_UNDONE)).scalars()
        )
