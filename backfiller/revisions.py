"""Candles that an exchange has corrected: stored anew, with their old values kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.candle import Candle
from common.market_data import candles_between, insert_candles, replace_candle
from common.revisions import Revision, keep_revision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa

    from common.partition import Partition


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
        keep_revision(connection, revision, now, stored_at.get(revision.new.timestamp))
    count = insert_candles(connection, partition, new) if new else 0
    return Stored(count, revised)
