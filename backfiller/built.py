"""Keeps built candles beside those that they are made of: see `backfiller.building`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backfiller.building import build, holes, slots_around
from backfiller.gaps import gaps_in, record_derived
from backfiller.ledger import GapState
from backfiller.planner import Span, subtract, windows
from backfiller.revisions import Stored, store_candles
from common.clock import wall_now
from common.market_data import candles_between, open_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from common.candle import Candle
    from common.database import Database
    from common.partition import Partition

_AT_ONCE = 200  # built candles in one transaction


class Built:
    """The partitions of one exchange that are built of others."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._of: Mapping[Partition, Partition] = {}

    def keep(self, sources: Mapping[Partition, Partition]) -> None:
        """What is to be kept from now on: the partition that each is built of."""
        self._of = sources

    def follow(self, connection: sa.Connection, source: Partition, window: Span) -> Stored:
        """Builds what candles of that window are part of, in the transaction that stored them."""
        total = Stored()
        for partition, of in self._of.items():
            if of == source:
                slots = slots_around(window, partition.timeframe)
                stored = _build(connection, partition, source, slots)
                total = Stored(total.count + stored.count, total.revised + stored.revised)
        return total

    def catch_up(self, partition: Partition, wanted: Span) -> int:
        """Builds what is missing of that span and can be built of what is there; returns how many."""
        source, step = self._of[partition], partition.timeframe.milliseconds
        with self._database.read() as connection:
            there = open_times(connection, partition, wanted.first, wanted.last)
            known = gaps_in(connection, partition, wanted)
        taken = [Span(time, time) for time in there]
        taken += [gap.span for gap in known if gap.state is GapState.CONFIRMED_EMPTY]
        count = 0
        for slots in windows(subtract([wanted], taken, step), step, _AT_ONCE):
            if self._has_parts(partition, source, slots):
                with self._database.write() as connection:
                    count += _build(connection, partition, source, slots).count
        return count

    def _has_parts(self, partition: Partition, source: Partition, slots: Span) -> bool:
        """Whether something can be built, or said of what cannot: a look that locks nobody out."""
        with self._database.read() as connection:
            candles, missing = _outcome(connection, partition, source, slots)
            known = gaps_in(connection, partition, slots)
        return bool(candles) or missing != [(gap.span, gap.state) for gap in known]


def _build(
    connection: sa.Connection, partition: Partition, source: Partition, slots: Span
) -> Stored:
    now = wall_now()
    candles, missing = _outcome(connection, partition, source, slots)
    stored = store_candles(connection, partition, candles, now=now, stored_at={})
    record_derived(connection, partition, slots, missing, now=now)
    return stored


def _outcome(
    connection: sa.Connection, partition: Partition, source: Partition, slots: Span
) -> tuple[list[Candle], list[tuple[Span, GapState]]]:
    """The candles that can be built, and what is known of the others."""
    fine, wanted = source.timeframe, partition.timeframe
    inside = Span(slots.first, wanted.close_of(slots.last) - fine.milliseconds)
    rows = candles_between(connection, source, inside.first, inside.last)
    gaps = gaps_in(connection, source, inside)
    candles = build(rows, gaps, fine, wanted)
    there = open_times(connection, partition, slots.first, slots.last)
    done = {*there, *(candle.timestamp for candle in candles)}
    return candles, holes(done, rows, gaps, slots, source=fine, wanted=wanted)
