"""Keeps up: takes each candle right after its close."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backfiller.planner import edge
from common.errors import RejectedError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backfiller.history import History
    from backfiller.intake import Intake
    from backfiller.line import Line
    from backfiller.planner import Span
    from backfiller.shared import Shared
    from common.partition import Partition

# How long to wait, in seconds, before each further question for a candle that is not published yet.
_ASK_AGAIN_S = (0.25, 0.5, 1.0, 2.0, 4.0)


class Closes:
    """The newest candles of one exchange's partitions."""

    def __init__(self, line: Line, intake: Intake, history: History, shared: Shared) -> None:
        self._line = line
        self._intake = intake
        self._history = history
        self._market_data = shared.market_data
        self._thread = shared.thread

    async def take(self, partitions: Iterable[Partition]) -> None:
        """Takes what those partitions lack at their newest end: one call for each."""
        async with asyncio.TaskGroup() as tasks:
            for partition in partitions:
                tasks.create_task(self._take(partition))

    async def _take(self, partition: Partition) -> None:
        for pause_s in (0.0, *_ASK_AGAIN_S):
            await asyncio.sleep(pause_s / max(self._line.clock.speed, 1.0))
            try:
                if await self._is_there(partition):
                    return
            except RejectedError:
                return

    async def _is_there(self, partition: Partition) -> bool:
        """Asks once for what is missing after the newest stored candle; whether nothing is any more."""
        while True:
            async with self._history.edge(partition):
                window = await self._edge(partition)
                if window is None:
                    return True
                try:
                    taken = await self._intake.take(partition, window)
                except TransientError:
                    if not self._line.is_waiting:
                        return False
                    continue  # the line lets the next call through when the exchange is back
                return taken.newest is not None and taken.newest >= window.last

    async def _edge(self, partition: Partition) -> Span | None:
        """From the newest few stored candles to the newest closed one, the newest of them at least.

        None if it is stored, or nothing is: then history takes it.
        """
        stored = await self._thread.run(self._market_data.newest_candle, partition)
        if stored is None:
            return None
        timeframe = partition.timeframe
        last = timeframe.newest_closed(self._line.clock.now())
        return edge(stored, last, timeframe.milliseconds, self._line.source.most_candles)
