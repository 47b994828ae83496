"""The gap ledger in the database: the SQL of `gaps`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from backfiller.ledger import OPEN, Gap, GapState, cut, settle
from backfiller.planner import Span, joined, spans_of, subtract
from common.market_data import open_times
from schema import gaps as table
from schema import ohlcv_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backfiller.ledger import Evidence
    from common.database import Database
    from common.partition import Partition

_OPEN = [state.value for state in OPEN]


class Gaps:
    """The holes that an exchange was asked about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def excused(self, partition: Partition, wanted: Span) -> list[Span]:
        """What the exchange has answered without, so that only a due question asks for it again."""
        with self._database.read() as connection:
            return [gap.span for gap in gaps_in(connection, partition, wanted)]

    def due(self, partition: Partition, now: int) -> list[Span]:
        """What is to be asked for again at `now`, by this machine's clock."""
        query = _select(partition).where(table.c.state.in_(_OPEN), table.c.ask_again_at <= now)
        with self._database.read() as connection:
            return [_gap(row).span for row in connection.execute(query)]

    def begin(self, partition: Partition, window: Span) -> None:
        """Says that the holes in a window are being asked for."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(table)
                .where(_of(partition), *_touching(window), table.c.state == GapState.FOUND.value)
                .values(state=GapState.FETCHING.value)
            )

    def give_back(self, partition: Partition, window: Span, ask_again_at: int) -> None:
        """Says that the holes in a window are not being asked for any more, without an answer."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(table)
                .where(_of(partition), *_touching(window), table.c.state == GapState.FETCHING.value)
                .values(state=GapState.FOUND.value, ask_again_at=ask_again_at)
            )

    def fall_in_line(self, partition: Partition) -> None:
        """Marks what somebody else has filled: a file that was imported."""
        with self._database.read() as connection:
            if not _contradicted(connection, partition):
                return
        with self._database.write() as connection:
            for gap in _contradicted(connection, partition):
                mark_filled(connection, partition, gap)


def record_answer(
    connection: sa.Connection,
    partition: Partition,
    window: Span,
    holes: Sequence[Span],
    *,
    evidence: Evidence,
    now: int,
    speed: float,
) -> list[Gap]:
    """Brings the ledger up to date after an answer to `window`, in the caller's transaction.

    Args:
        connection: of the transaction that stores the answer's candles.
        partition: the one that was asked for.
        window: what was asked for.
        holes: the part of it that counts as answered without.
        evidence: what the answer had.
        now: this machine's time.
        speed: how fast the exchange's clock runs.

    Returns:
        The rows in the window that changed, as they are now.
    """
    step = partition.timeframe.milliseconds
    known = gaps_in(connection, partition, window)
    if not known and not holes:
        return []
    outside, inside = _cut(known, window, step)
    settled = settle(inside, holes, step, now, evidence=evidence, speed=speed)
    _replace(connection, partition, known, outside + settled)
    return [gap for gap in settled if gap not in inside]


def record_out_of_reach(
    connection: sa.Connection, partition: Partition, spans: Iterable[Span], *, now: int
) -> None:
    """Notes what the exchange cannot give, in one row with what is known of that beside it."""
    step = partition.timeframe.milliseconds
    for span in joined(spans, step):
        around = Span(span.first - step, span.last + step)
        known = gaps_in(connection, partition, around)
        beside = [gap for gap in known if gap.state is GapState.OUT_OF_REACH]
        others = [gap for gap in known if gap.state is not GapState.OUT_OF_REACH]
        whole = joined([span, *(gap.span for gap in beside)], step)[0]
        found_at = min((gap.found_at for gap in known), default=now)
        asked = max((gap.asked for gap in known), default=0)
        row = Gap(whole, GapState.OUT_OF_REACH, found_at, asked, None)
        touched = [gap for gap in others if gap.span.overlap(span)]
        outside, _ = _cut(touched, span, step)
        _replace(connection, partition, beside + touched, [*outside, row])


def record_derived(
    connection: sa.Connection,
    partition: Partition,
    window: Span,
    holes: Sequence[tuple[Span, GapState]],
    *,
    now: int,
) -> bool:
    """Makes these the holes of a window, for candles that are built from others; whether that is new."""
    step = partition.timeframe.milliseconds
    known = gaps_in(connection, partition, window)
    outside, inside = _cut(known, window, step)
    rows = []
    for span, state in holes:
        before = [gap.found_at for gap in inside if gap.span.overlap(span)]
        rows.append(Gap(span, state, min(before, default=now), 0, None))
    if rows == inside:
        return False
    missing = [span for span, _ in holes]
    rows += [
        Gap(span, GapState.FILLED, gap.found_at, gap.asked, None)
        for gap in inside
        for span in subtract([gap.span], missing, step)
    ]
    _replace(connection, partition, known, outside + rows)
    return True


def gaps_in(connection: sa.Connection, partition: Partition, window: Span) -> list[Gap]:
    """The holes that overlap a window and are not filled, oldest first."""
    query = _select(partition).where(*_touching(window), table.c.state != GapState.FILLED.value)
    return [_gap(row) for row in connection.execute(query)]


def mark_filled(connection: sa.Connection, partition: Partition, gap: Gap) -> None:
    """Parts a row into what is stored by now and what is still missing."""
    step = partition.timeframe.milliseconds
    there = spans_of(open_times(connection, partition, gap.span.first, gap.span.last), step)
    filled = [Gap(span, GapState.FILLED, gap.found_at, gap.asked, None) for span in there]
    left = subtract([gap.span], there, step)
    still = [Gap(span, gap.state, gap.found_at, gap.asked, gap.ask_again_at) for span in left]
    _replace(connection, partition, [gap], filled + still)


def _contradicted(connection: sa.Connection, partition: Partition) -> list[Gap]:
    """The holes in which a candle is stored."""
    stored = sa.exists().where(
        ohlcv_data.c.exchange == table.c.exchange,
        ohlcv_data.c.symbol == table.c.symbol,
        ohlcv_data.c.timeframe == table.c.timeframe,
        ohlcv_data.c.timestamp.between(table.c.start, table.c.end),
    )
    query = _select(partition).where(table.c.state != GapState.FILLED.value, stored)
    return [_gap(row) for row in connection.execute(query)]


def _cut(gaps: Iterable[Gap], window: Span, step: int) -> tuple[list[Gap], list[Gap]]:
    outside, inside = [], []
    for gap in gaps:
        kept, asked = cut(gap, window, step)
        outside += kept
        inside.append(asked)
    return outside, inside


def _replace(
    connection: sa.Connection, partition: Partition, old: Iterable[Gap], new: Sequence[Gap]
) -> None:
    starts = {gap.span.first for gap in (*old, *new)}
    connection.execute(sa.delete(table).where(_of(partition), table.c.start.in_(starts)))
    if new:
        connection.execute(sa.insert(table), [_row(partition, gap) for gap in new])


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


def _touching(span: Span) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.start <= span.last, table.c.end >= span.first


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
