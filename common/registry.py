"""The strategies that have registered, and what each needs: the SQL of `strategy_metadata`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.clock import wall_now
from common.errors import ConfigurationError
from common.events import append, recorded
from common.partition import Partition
from common.settings import nearest
from common.statements import upsert
from common.timeframe import Timeframe
from schema import signals
from schema import strategy_metadata as table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from common.database import Database

_RECONFIGURED = "reconfigured"
# What may differ from one start to the next, with the same books.
_CONFIGURATION = ("strategy_name", "parameters", "warmup", "rules")


@dataclass(frozen=True, slots=True)
class Registration:
    """What a trader says of itself when it starts. `parameters` and `rules` hold no secrets."""

    strategy_id: str
    partition: Partition
    strategy_name: str
    config_file: str | None
    mode: str
    parameters: Mapping[str, Any]
    warmup: int
    starting_balance: Decimal
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What is known of a strategy at a glance: its status is waiting, running or stopped."""

    strategy_id: str
    exchange: str
    mode: str
    status: str
    registered_at: int  # this machine's time, in milliseconds UTC


class Registry:
    """All registered strategies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, registration: Registration) -> None:
        """Adds the strategy, or brings its row up to date; its ledger rows stay as they are.

        Raises:
            ConfigurationError: the strategy_id has its books in another market, in another mode or
                from another starting balance, so that they would no longer add up.
        """
        now = wall_now()
        row = _row(registration) | {"status": "waiting", "registered_at": now, "updated_at": now}
        with self._database.write() as connection:
            _require_same_books(connection, registration)
            _keep_what_it_replaces(connection, row)
            upsert(connection, table, row, keep=("registered_at",))

    def set_status(self, strategy_id: str, status: str) -> None:
        """Sets a strategy's status: waiting, running or stopped."""
        change = sa.update(table).where(
            table.c.strategy_id == strategy_id, table.c.status != status
        )
        with self._database.write() as connection:
            connection.execute(change.values(status=status, updated_at=wall_now()))

    def strategy_ids(self) -> list[str]:
        """The strategy_id of every registered strategy, in order."""
        query = sa.select(table.c.strategy_id).order_by(table.c.strategy_id)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def enrolled(self) -> list[Enrolled]:
        """Every registered strategy, in order."""
        names = ("strategy_id", "exchange", "mode", "status", "registered_at")
        query = sa.select(*(table.c[name] for name in names)).order_by(table.c.strategy_id)
        with self._database.read() as connection:
            return [Enrolled(*row) for row in connection.execute(query)]

    def require(self, strategy_id: str, *, key: str) -> None:
        """Goes on if that strategy is registered.

        Raises:
            ConfigurationError: it is not; the message names the key.
        """
        registered = self.strategy_ids()
        if strategy_id not in registered:
            hint = nearest(strategy_id, registered) if registered else "none is registered"
            raise ConfigurationError(
                f"{key}: expected a registered strategy, found {strategy_id!r}; {hint}"
            )

    def registered(self, strategy_id: str, *, key: str) -> Registration:
        """What that strategy said of itself when it last started.

        Raises:
            ConfigurationError: it never did, in which case the message names the key; or what `find` raises.
        """
        self.require(strategy_id, key=key)
        found = self.find(strategy_id)
        assert found is not None
        return found

    def find(self, strategy_id: str) -> Registration | None:
        """What that strategy said of itself when it last started; None if it never did.

        Raises:
            ConfigurationError: its row names no possible partition.
        """
        query = sa.select(table).where(table.c.strategy_id == strategy_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        return Registration(
            strategy_id=row["strategy_id"],
            partition=Partition(row["exchange"], row["symbol"], Timeframe.parse(row["timeframe"])),
            strategy_name=row["strategy_name"],
            config_file=row["config_file"],
            mode=row["mode"],
            parameters=json.loads(row["parameters"]),
            warmup=row["warmup"],
            starting_balance=row["starting_balance"],
            rules=json.loads(row["rules"]),
        )

    def earlier(self, registration: Registration) -> list[tuple[int, Registration]]:
        """How that strategy was configured before, oldest first, each with when it ended by this machine's clock."""
        with self._database.read() as connection:
            replaced = recorded(connection, registration.strategy_id, _RECONFIGURED)
        return [(ended, replace(registration, **before)) for ended, before in replaced]

    def needs(self) -> dict[Partition, int]:
        """Each partition that registered strategies read, with the longest warm-up, in candles."""
        return self.needs_and_mistakes()[0]

    def needs_and_mistakes(self) -> tuple[dict[Partition, int], list[str]]:
        """The needs, and of each row that names no possible partition what is wrong with it.

        No trader writes such a row, a hand may have; it must not hide the others.
        """
        query = sa.select(
            table.c.strategy_id,
            table.c.exchange,
            table.c.symbol,
            table.c.timeframe,
            table.c.warmup,
        ).order_by(table.c.strategy_id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        needs: dict[Partition, int] = {}
        mistakes = []
        for strategy_id, exchange, symbol, timeframe, warmup in rows:
            try:
                partition = Partition(exchange, symbol, Timeframe.parse(timeframe))
            except ConfigurationError as error:
                mistakes.append(f"strategy_id {strategy_id!r}: {error}")
            else:
                needs[partition] = max(warmup, needs.get(partition, 0))
        return needs, mistakes


def _row(registration: Registration) -> dict[str, Any]:
    return {
        "strategy_id": registration.strategy_id,
        **_market(registration.partition),
        "strategy_name": registration.strategy_name,
        "config_file": registration.config_file,
        "mode": registration.mode,
        "parameters": json.dumps(registration.parameters, sort_keys=True, default=str),
        "warmup": registration.warmup,
        "starting_balance": registration.starting_balance,
        "rules": json.dumps(registration.rules, sort_keys=True, default=str),
    }


def _market(partition: Partition) -> dict[str, str]:
    return {
        "exchange": partition.exchange,
        "symbol": partition.symbol,
        "timeframe": partition.timeframe.value,
    }


def _has_books(connection: sa.Connection, strategy_id: str) -> bool:
    """Whether the strategy ever said anything: before that, a mistake in its settings can be put right."""
    first = sa.select(signals.c.timestamp).where(signals.c.strategy_id == strategy_id).limit(1)
    return connection.execute(first).scalar() is not None


def _keep_what_it_replaces(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Records the configuration that a registration is about to change: what was written by it can be explained."""
    columns = [table.c[name] for name in _CONFIGURATION]
    query = sa.select(*columns).where(table.c.strategy_id == row["strategy_id"])
    known = connection.execute(query).mappings().one_or_none()
    if known is None:
        return
    changed = [name for name in _CONFIGURATION if known[name] != row[name]]
    if changed:
        before = {**known, **{name: json.loads(known[name]) for name in ("parameters", "rules")}}
        message = f"configured anew: {', '.join(changed)}"
        append(connection, row["strategy_id"], "info", _RECONFIGURED, message, **before)


def _require_same_books(connection: sa.Connection, registration: Registration) -> None:
    query = sa.select(table).where(table.c.strategy_id == registration.strategy_id)
    known = connection.execute(query).mappings().one_or_none()
    if known is None or not _has_books(connection, registration.strategy_id):
        return
    wanted = _row(registration)
    for column, key in (
        ("exchange", "EXCHANGE"),
        ("symbol", "SYMBOL"),
        ("timeframe", "TIMEFRAME"),
        ("mode", "MODE"),
        ("starting_balance", "STARTING_BALANCE"),
    ):
        if known[column] != wanted[column]:
            raise ConfigurationError(
                f"{key}: expected {known[column]}, with which strategy_id {registration.strategy_id!r} keeps its "
                f"books, found {wanted[column]}; give the changed strategy another STRATEGY_ID"
            )
