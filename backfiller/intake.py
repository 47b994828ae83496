"""One window of candles: asked for, checked and stored, with what is missing noted, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backfiller.failures import NoAnswerError
from backfiller.gaps import record_answer
from backfiller.parsing import Candles, candles_of
from backfiller.planner import Span, spans_of, subtract
from common.clock import wall_now
from common.errors import RejectedError
from common.market_data import insert_candles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backfiller.line import Line
    from backfiller.shared import Shared
    from common.partition import Partition

_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking for a window."""

    stored: int
    newest: int | None  # the open time of the partition's newest stored candle


class Intake:
    """Takes candles from one exchange into the database."""

    def __init__(self, line: Line, shared: Shared) -> None:
        self._line = line
        self._shared = shared
        self._market_data = shared.market_data
        self._told: dict[str, None] = {}

    async def take(self, partition: Partition, window: Span) -> Taken:
        """Fetches and stores a window of at most as many candles as one answer holds.

        Raises:
            TransientError: the call failed, or the answer was empty where candles must be.
            RejectedError: the exchange does not have that symbol or timeframe.
        """
        source = self._line.source
        try:
            answer = await self._line.call(lambda: source.candles(partition, window))
        except RejectedError as error:
            await self._tell(partition, "partition_refused", str(error), None)
            raise
        found = candles_of(answer, partition.timeframe, window, self._line.clock)
        for bad in found.rejected:
            await self._tell(partition, "candle_rejected", bad.reason, bad.row)
        return await self._shared.thread.run(
            self._store, partition, window, found, bool(answer.content)
        )

    def _store(self, partition: Partition, window: Span, found: Candles, answered: bool) -> Taken:
        step = partition.timeframe.milliseconds
        before = [
            Span(*run) for run in self._market_data.runs(partition, window.first, window.last)
        ]
        arrived = spans_of((candle.timestamp for candle in found.candles), step)
        newest = self._newest(partition, arrived)
        if newest is None and not answered:
            raise NoAnswerError(f"{partition}: expected candles, found an empty list")
        holes = _holes(window, before + arrived, newest, step)
        with self._shared.database.write() as connection:
            stored = insert_candles(connection, partition, found.candles) if arrived else 0
            record_answer(
                connection,
                partition,
                window,
                holes,
                now=wall_now(),
                speed=self._line.clock.speed,
            )
        return Taken(stored, newest)

    def _newest(self, partition: Partition, arrived: Sequence[Span]) -> int | None:
        stored = self._market_data.newest_candle(partition)
        known = [stored] if stored is not None else []
        return max(known + [span.last for span in arrived], default=None)

    async def _tell(self, partition: Partition, kind: str, reason: str, row: Any) -> None:
        """Records what is wrong once, however often the exchange repeats it."""
        key = f"{partition} {reason} {row!r}"
        if key in self._told:
            return
        self._told[key] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        detail = {
            "exchange": partition.exchange,
            "symbol": partition.symbol,
            "timeframe": partition.timeframe.value,
            "reason": reason,
            "row": repr(row),  # it may hold what JSON cannot, such as nan
        }
        message = f"{partition}: {reason}"
        await self._shared.record("warning", kind, message, **detail)


def _holes(window: Span, there: Sequence[Span], newest: int | None, step: int) -> list[Span]:
    """What the exchange answered without: before its newest candle, since after it may be late."""
    if newest is None or newest < window.first:
        return []
    return subtract([Span(window.first, min(window.last, newest))], there, step)
