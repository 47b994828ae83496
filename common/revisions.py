"""What candles were before an exchange corrected them: the SQL of `revisions`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.candle import Candle
from schema import revisions as table

if TYPE_CHECKING:
    from common.database import Database
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


def keep_revision(
    connection: sa.Connection, revision: Revision, now: int, stored_at: int | None
) -> None:
    """Records a revision, in the transaction that corrects the candle.

    Args:
        connection: of the transaction.
        revision: what changed.
        now: this machine's time.
        stored_at: when the old values were stored; None: not known any more.
    """
    partition = revision.partition
    row: dict[str, object] = {
        **_key(partition),
        "timestamp": revision.new.timestamp,
        "stored_at": stored_at,
        "found_at": now,
    }
    for name in _VALUES:
        row[f"old_{name}"] = getattr(revision.old, name)
        row[f"new_{name}"] = getattr(revision.new, name)
    connection.execute(sa.insert(table), row)


def revisions_of(database: Database, partition: Partition) -> list[tuple[int, Revision]]:
    """Every revision of a partition, in the order they were found, each with when, by this machine's clock."""
    columns = [table.c[f"{age}_{name}"] for age in ("old", "new") for name in _VALUES]
    query = (
        sa.select(table.c.found_at, table.c.timestamp, *columns)
        .where(*(table.c[name] == value for name, value in _key(partition).items()))
        .order_by(table.c.revision_id)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    middle = len(_VALUES)
    return [
        (
            found_at,
            Revision(partition, Candle(at, *values[:middle]), Candle(at, *values[middle:])),
        )
        for found_at, at, *values in rows
    ]


def _key(partition: Partition) -> dict[str, str]:
    return {
        "exchange": partition.exchange,
        "symbol": partition.symbol,
        "timeframe": partition.timeframe.value,
    }
