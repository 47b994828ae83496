"""The gap ledger in the database: the SQL of `gaps`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from backfiller.ledger import Gap, GapState, cut, settle
from backfiller.planner import Span
from schema import gaps as table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.database import Database
    from common.partition import Partition


class Gaps:
    """The holes that an exchange was asked about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def excused(self, partition: Partition, wanted: Span) -> list[Span]:
        """What the exchange has answered without, so that only a due question asks for it again."""
        query = _overlapping(partition, wanted).where(table.c.state != GapState.FILLED.value)
        with self._database.read() as connection:
            return [_gap(row).span for row in connection.execute(query)]

    def due(self, partition: Partition, now: int) -> list[Span]:
        """What is to be asked for again at `now`, by this machine's clock."""
        query = _select(partition).where(
            table.c.state == GapState.FOUND.value, table.c.ask_again_at <= now
        )
        with self._database.read() as connection:
            return [_gap(row).span for row in connection.execute(query)]

    def next_due(self, exchange: str) -> int | None:
        """When that exchange is to be asked again for something, by this machine's clock."""
        query = sa.select(sa.func.min(table.c.ask_again_at)).where(
            table.c.exchange == exchange, table.c.state == GapState.FOUND.value
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()


def record_answer(
    connection: sa.Connection,
    partition: Partition,
    window: Span,
    holes: Sequence[Span],
    *,
    now: int,
    speed: float,
) -> None:
    """Brings the ledger up to date after an answer to `window`, in the caller's transaction.

    Args:
        connection: of the transaction that stores the answer's candles.
        partition: the one that was asked for.
        window: what was asked for.
        holes: the part of it that counts as answered without.
        now: this machine's time.
        speed: how fast the exchange's clock runs.
    """
    found = [_gap(row) for row in connection.execute(_overlapping(partition, window))]
    known = [gap for gap in found if gap.state is not GapState.FILLED]
    if not known and not holes:
        return
    outside, inside = [], []
    for gap in known:
        kept, asked = cut(gap, window, partition.timeframe.milliseconds)
        outside += kept
        inside.append(asked)
    settled = settle(inside, holes, partition.timeframe.milliseconds, now, speed=speed)
    starts = {gap.span.first for gap in known + outside + settled}
    connection.execute(sa.delete(table).where(_of(partition), table.c.start.in_(starts)))
    connection.execute(sa.insert(table), [_row(partition, gap) for gap in outside + settled])


def _select(partition: Partition) -> sa.Select[Any]:
    return (
        sa.select(
            table.c.start,
            table.c.end,
            table.c.state,
            table.c.found_at,
            table.c.asked,
            table.c.ask_again_at,
        )
        .where(_of(partition))
        .order_by(table.c.start)
    )


def _overlapping(partition: Partition, span: Span) -> sa.Select[Any]:
    return _select(partition).where(table.c.start <= span.last, table.c.end >= span.first)


def _of(partition: Partition) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.exchange == partition.exchange,
        table.c.symbol == partition.symbol,
        table.c.timeframe == partition.timeframe.value,
    )


def _gap(row: sa.Row[Any]) -> Gap:
    return Gap(
        Span(row.start, row.end), GapState(row.state), row.found_at, row.asked, row.ask_again_at
    )


def _row(partition: Partition, gap: Gap) -> dict[str, Any]:
    return {
        "exchange": partition.exchange,
        "symbol": partition.symbol,
        "timeframe": partition.timeframe.value,
        "start": gap.span.first,
        "end": gap.span.last,
        "state": gap.state.value,
        "found_at": gap.found_at,
        "asked": gap.asked,
        "ask_again_at": gap.ask_again_at,
    }
