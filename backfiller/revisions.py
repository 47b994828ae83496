"""Candles that an exchange has corrected: stored anew, with their old values kept. The SQL of `revisions`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.candle import Candle
from common.market_data import candles_between, insert_candles, replace_candle
from schema import revisions as table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from common.partition import Partition

_VALUES = tuple(field.name for field in fields(Candle) if field.name != "timestamp")


@dataclass(frozen=True, slots=True)
class Revision:
    """One candle as it was stored, and as it is."""

    partition: Partition
    old: Candle
    new: Candle

    def __str__(self) -> str:
        changes = ", ".join(
            f"{name} {getattr(self.old, name)} is {getattr(self.new, name)}"
            for name in _VALUES
            if getattr(self.old, name) != getattr(self.new, name)
        )
        return f"candle {self.new.timestamp}: {changes}"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of candles: how many were new, and those that changed."""

    count: int = 0
    revised: tuple[Revision, ...] = ()


def store_candles(
    connection: sa.Connection,
    partition: Partition,
    candles: Sequence[Candle],
    *,
    now: int,
    stored_at: Mapping[int, int],
) -> Stored:
    """Stores candles, oldest first, as the exchange says them now, in the caller's transaction.

    A candle that is there with other values is corrected, whoever stored it, and both are kept in
    `revisions`.

    Args:
        connection: of the transaction.
        partition: whose candles they are.
        candles: closed ones.
        now: this machine's time.
        stored_at: when candles were stored, by their open times, of those of which it is known.
    """
    if not candles:
        return Stored()
    first, last = candles[0].timestamp, candles[-1].timestamp
    there = {row[0]: Candle(*row) for row in candles_between(connection, partition, first, last)}
    new = [candle for candle in candles if candle.timestamp not in there]
    revised = tuple(
        Revision(partition, old, candle)
        for candle in candles
        if (old := there.get(candle.timestamp, candle)) != candle
    )
    for revision in revised:
        replace_candle(connection, partition, revision.new)
        row = _row(revision, now, stored_at.get(revision.new.timestamp))
        connection.execute(sa.insert(table), row)
    count = insert_candles(connection, partition, new) if new else 0
    return Stored(count, revised)


def _row(revision: Revision, now: int, stored_at: int | None) -> dict[str, object]:
    partition = revision.partition
    row: dict[str, object] = {
        "exchange": partition.exchange,
        "symbol": partition.symbol,
        "timeframe": partition.timeframe.value,
        "timestamp": revision.new.timestamp,
        "stored_at": stored_at,
        "found_at": now,
    }
    for name in _VALUES:
        row[f"old_{name}"] = getattr(revision.old, name)
        row[f"new_{name}"] = getattr(revision.new, name)
    return row
