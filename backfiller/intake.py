"""One window of candles: asked for, checked and stored, with what is missing noted, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backfiller.gaps import record_answer, record_out_of_reach
from backfiller.ledger import Evidence, GapState
from backfiller.parsing import Candles, candles_of
from backfiller.partitions import record_reach
from backfiller.planner import Span, padded, parted, spans_of, subtract
from backfiller.revisions import Stored, store_candles
from backfiller.telling import Telling
from common.clock import wall_now
from common.errors import RejectedError, TransientError
from common.exchange_failures import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from backfiller.built import Built
    from backfiller.line import Line
    from backfiller.punctuality import Punctuality
    from backfiller.shared import Shared
    from common.exchange_calls import Answer
    from common.partition import Partition

_ASK_AGAIN_MS = 60_000  # after a question that was not answered
_REMEMBERED = 10  # of how many candles it is known when they were stored


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking for a window. Times are open times."""

    stored: Stored
    newest: int | None  # the partition's newest stored candle
    reach: int | None = None  # the oldest one that the exchange gives, if that was met
    is_reach_new: bool = False


@dataclass(frozen=True, slots=True)
class _Heard:
    """An answer, read: what was wanted, what was asked for, and what there is."""

    window: Span
    asked: Span
    found: Candles
    is_empty: bool
    reach: int | None  # the oldest open time that the exchange can have answered with
    begins: (
        int | None
    )  # the open time of the first row, where all are later than what was asked for


class Intake:
    """Takes candles from one exchange into the database."""

    def __init__(self, line: Line, built: Built, shared: Shared, punctuality: Punctuality) -> None:
        self._line = line
        self._built = built
        self._shared = shared
        self._punctuality = punctuality
        self._market_data = shared.market_data
        self._telling = Telling(shared)
        self._stored_at: dict[Partition, dict[int, int]] = {}

    async def take(self, partition: Partition, window: Span, *, again: bool = False) -> Taken:
        """Fetches and stores a window of at most as many candles as one answer holds.

        With `again`, the window has holes that the exchange was asked for before.

        Raises:
            TransientError: the call failed, or the answer was empty where candles must be.
            RejectedError: the exchange does not have that symbol or timeframe.
        """
        run, gaps = self._shared.thread.run, self._shared.gaps
        if not again:
            return await self._in_time(partition, window, wide=False)
        await run(gaps.begin, partition, window)
        try:
            return await self._in_time(partition, window, wide=True)
        except (TransientError, RejectedError):
            later = wall_now() + int(_ASK_AGAIN_MS / self._line.clock.speed)
            await run(gaps.give_back, partition, window, later)
            raise

    async def beyond(self, partition: Partition, spans: Sequence[Span], reach: int) -> None:
        """Notes that the exchange does not give those candles any more, and says so once."""
        if await self._shared.thread.run(self._record_beyond, partition, spans, reach):
            await self._telling.reach(partition, self._note(partition))

    async def _in_time(self, partition: Partition, window: Span, *, wide: bool) -> Taken:
        """Takes it, and notes that it was tried, and how far that reaches; a refusal is an answer too."""
        try:
            taken = await self._take(partition, window, wide=wide)
        except TransientError as error:
            self._punctuality.failed(partition, str(error))
            raise
        except RejectedError:
            self._punctuality.took(partition, window.last)
            raise
        self._punctuality.took(partition, window.last)
        return taken

    async def _take(self, partition: Partition, window: Span, *, wide: bool) -> Taken:
        source, timeframe = self._line.source, partition.timeframe
        step, newest = timeframe.milliseconds, timeframe.newest_closed(self._line.clock.now())
        asked = padded(window, step, source.most_candles, newest, wide=wide)
        try:
            answer = await self._line.call(lambda: source.candles(partition, asked))
        except RejectedError as error:
            await self._telling.refused(partition, str(error))
            raise
        heard = self._heard(partition, window, asked, answer)
        await self._telling.rejected(partition, heard.found.rejected)
        taken = await self._shared.thread.run(self._store, partition, heard)
        await self._telling.revised(taken.stored.revised)
        if taken.is_reach_new:
            await self._telling.reach(partition, self._note(partition))
        return taken

    def _heard(self, partition: Partition, window: Span, asked: Span, answer: Answer) -> _Heard:
        timeframe, clock = partition.timeframe, self._line.clock
        arrived_at = clock.at(answer.arrived_at)
        found = candles_of(answer, timeframe, asked, clock)
        begins = None
        if not found.candles:
            times = [row[0] for row in answer.content if isinstance(row, list | tuple) and row]
            first = min((one for one in times if isinstance(one, int)), default=None)
            if first is not None and asked.last < first <= timeframe.newest_closed(arrived_at):
                begins = first
        reach = self._line.source.reach(timeframe, arrived_at)
        return _Heard(window, asked, found, not answer.content, reach, begins)

    def _store(self, partition: Partition, heard: _Heard) -> Taken:
        step, window, asked = partition.timeframe.milliseconds, heard.window, heard.asked
        there = [Span(*run) for run in self._market_data.runs(partition, asked.first, asked.last)]
        oldest, newest = self._ends(partition)
        if heard.is_empty and (newest is None or there):
            raise NoAnswerError(f"{partition}: expected candles, found an empty list")
        arrived = spans_of((candle.timestamp for candle in heard.found.candles), step)
        ends = [span.first for span in arrived] + [span.last for span in arrived]
        oldest = min([*ends, *([] if oldest is None else [oldest])], default=None)
        newest = max([*ends, *([] if newest is None else [newest])], default=None)
        reach = heard.reach
        if heard.begins is not None and (oldest is None or oldest > window.last):
            reach = heard.begins
        seen = Span(arrived[0].first, arrived[-1].last) if arrived else None
        holes = _holes(window, there + arrived, newest, step)
        with self._shared.database.write() as connection:
            stored = self._keep(connection, partition, heard)
            met, is_new = self._note_holes(
                connection,
                partition,
                window,
                holes,
                evidence=Evidence(seen, oldest),
                reach=reach,
            )
            built = self._built.follow(connection, partition, window)
        both = Stored(stored.count, stored.revised + built.revised)
        return Taken(both, newest, met, is_new)

    def _keep(self, connection: sa.Connection, partition: Partition, heard: _Heard) -> Stored:
        """Stores the candles of the window, and remembers when, of the newest."""
        now = wall_now()
        candles = [one for one in heard.found.candles if one.timestamp in heard.window]
        known = self._stored_at.setdefault(partition, {})
        stored = store_candles(connection, partition, candles, now=now, stored_at=known)
        changed = {revision.new.timestamp for revision in stored.revised}
        for candle in candles[-_REMEMBERED:]:
            if candle.timestamp in changed or candle.timestamp not in known:
                known[candle.timestamp] = now
        for timestamp in sorted(known)[:-_REMEMBERED]:
            del known[timestamp]
        return stored

    def _note_holes(
        self,
        connection: sa.Connection,
        partition: Partition,
        window: Span,
        holes: Sequence[Span],
        *,
        evidence: Evidence,
        reach: int | None,
    ) -> tuple[int | None, bool]:
        """Brings the ledger up to date; the reach, if it was met, and whether that is new."""
        step, now = partition.timeframe.milliseconds, wall_now()
        beyond, holes = ([], holes) if reach is None else parted(holes, reach, step)
        _, inside = ([], [window]) if reach is None else parted([window], reach, step)
        for part in inside:
            changed = record_answer(
                connection,
                partition,
                part,
                holes,
                evidence=evidence,
                now=now,
                speed=self._line.clock.speed,
            )
            if before := [gap.span for gap in changed if gap.state is GapState.OUT_OF_REACH]:
                beyond, reach = [*beyond, *before], reach or evidence.oldest
        if not beyond or reach is None:
            return None, False
        record_out_of_reach(connection, partition, beyond, now=now)
        return reach, record_reach(connection, partition, reach, self._note(partition))

    def _record_beyond(self, partition: Partition, spans: Sequence[Span], reach: int) -> bool:
        with self._shared.database.write() as connection:
            record_out_of_reach(connection, partition, spans, now=wall_now())
            for span in spans:
                self._built.follow(connection, partition, span)
            return record_reach(connection, partition, reach, self._note(partition))

    def _ends(self, partition: Partition) -> tuple[int | None, int | None]:
        """The open times of the oldest and the newest candle, the archived ones among them."""
        oldest = self._market_data.oldest_candle(partition)
        newest = self._market_data.newest_candle(partition)
        spans = self._shared.archive.spans(partition)
        if spans:
            oldest = min(spans[0][0], spans[0][0] if oldest is None else oldest)
        return oldest, newest

    def _note(self, partition: Partition) -> str:
        gives = self._line.source.gives_newest
        what = (
            "no candle before its oldest one"
            if gives is None
            else f"the newest {gives} candles only"
        )
        return (
            f"{partition.exchange}'s API gives {what}; what is older comes from files: "
            "`python -m backfiller import`"
        )


def _holes(window: Span, there: Sequence[Span], newest: int | None, step: int) -> list[Span]:
    """What the exchange answered without: before its newest candle, since after it may be late."""
    if newest is None or newest < window.first:
        return []
    return subtract([Span(window.first, min(window.last, newest))], there, step)
