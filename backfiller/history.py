"""Fills what is missing: plans it, and fetches it window by window, the newest of each partition first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import structlog

from backfiller.planner import COMPARED, Span, compared, gathered, joined, parted, subtract, windows
from common.clock import wall_now
from common.errors import RejectedError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backfiller.built import Built
    from backfiller.intake import Intake
    from backfiller.line import Line
    from backfiller.needs import Need
    from backfiller.shared import Shared
    from common.partition import Partition

_LANES = 2  # one window is fetched while another is stored
_PATIENCE = 3  # how often an answer may be empty before a window is left for the next review
_REVIEW_S = 30.0
# A second one after long ones: a hole between two windows is understood when both have been answered.
_PASSES = 2
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Window:
    """A span of one partition to ask for; `again` if the exchange once answered without it."""

    partition: Partition
    span: Span
    again: bool = False


class History:
    """The past of one exchange's partitions."""

    def __init__(self, line: Line, intake: Intake, built: Built, shared: Shared) -> None:
        self._line = line
        self._intake = intake
        self._built = built
        self._archive = shared.archive
        self._market_data = shared.market_data
        self._gaps = shared.gaps
        self._thread = shared.thread
        self._progress = shared.progress
        self._needs: Mapping[Partition, Need] = {}
        self._built_needs: Mapping[Partition, Need] = {}
        self._reaches: dict[Partition, int] = {}
        self._changed = asyncio.Event()
        self._settled: dict[Partition, Span] = {}
        self._failed: dict[Partition, str] = {}
        self._edges: dict[Partition, asyncio.Lock] = {}
        self._log = structlog.get_logger().bind(exchange=line.exchange)

    def need(self, needs: Mapping[Partition, Need], built: Mapping[Partition, Need]) -> None:
        """What is to be fetched and to be built from now on; a pass under way begins again with it."""
        self._needs, self._built_needs = needs, built
        self._changed.set()

    def edge(self, partition: Partition) -> asyncio.Lock:
        """Held while that partition's newest candles are asked for, so that nobody else asks too."""
        return self._edges.setdefault(partition, asyncio.Lock())

    async def run(self) -> None:
        """Fills what is missing whenever there may be something, for ever."""
        while True:
            await self.fill(patience=None)
            review_s = min(max(_REVIEW_S / self._line.clock.speed, 1.0), _REVIEW_S)
            try:
                async with asyncio.timeout(review_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def fill(self, *, patience: int | None) -> dict[Partition, str]:
        """Asks once for everything that is missing now.

        Args:
            patience: how often a call may fail before its window is left; None: for ever.

        Returns:
            The partitions of which something could not be had, and why.
        """
        passes = 0
        while passes < _PASSES:
            self._changed.clear()
            self._failed = {}
            took_long = await self._pass(patience)
            if not self._changed.is_set():
                passes = passes + 1 if took_long else _PASSES
        return self._failed

    async def _pass(self, patience: int | None) -> bool:
        """Plans, and takes all that is planned; whether some partition took more than one window."""
        for need in self._built_needs.values():
            await self._build(need)
        plans = {need.partition: await self._plan(need) for need in self._needs.values()}
        lacking = {partition: plan for partition, plan in plans.items() if plan}
        for partition, plan in lacking.items():
            step = partition.timeframe.milliseconds
            self._progress.begin(partition, sum(window.span.count(step) for window in plan))
        todo = _by_turns(lacking.values())
        async with asyncio.TaskGroup() as lanes:
            for _ in range(_LANES):
                lanes.create_task(self._lane(todo, patience))
        for partition in lacking:
            self._progress.end(partition)
        return any(len(plan) > 1 for plan in lacking.values())

    async def _lane(self, todo: Iterator[Window], patience: int | None) -> None:
        for window in todo:
            if self._changed.is_set():
                return
            if window.partition not in self._failed:
                await self._fetch(window, patience)

    async def _build(self, need: Need) -> None:
        """Builds what can be of candles that came in other ways than from this exchange now."""
        await self._thread.run(self._gaps.fall_in_line, need.partition)
        wanted = need.wanted(self._line.clock.now())
        if wanted is not None:
            count = await self._thread.run(self._built.catch_up, need.partition, wanted)
            if count:
                self._log.info("candles_built", partition=str(need.partition), count=count)

    async def _plan(self, need: Need) -> list[Window]:
        """The windows that one partition lacks, newest first, then those to be asked for again."""
        partition, step = need.partition, need.partition.timeframe.milliseconds
        now = self._line.clock.now()
        wanted = need.wanted(now)
        if wanted is None:
            return []
        await self._thread.run(self._gaps.fall_in_line, partition)
        most = self._line.source.most_candles
        due = await self._thread.run(self._gaps.due, partition, wall_now())
        missing = await self._unsettled(partition, wanted)
        reach = self._line.source.reach(partition.timeframe, now)
        if reach is not None:
            gone, missing = parted(missing, reach, step)
            lost, due = parted(due, reach, step)
            if gone or lost:
                await self._intake.beyond(partition, gone + lost, reach)
        return [
            # One less than an answer holds: that leaves room for a candle that is there.
            *(Window(partition, span) for span in windows(missing, step, max(most - 1, 1))),
            *(Window(partition, span, again=True) for span in gathered(due, step, most)),
        ]

    async def _unsettled(self, partition: Partition, wanted: Span) -> list[Span]:
        """What is missing. A past that was once found complete is not read through again."""
        settled = self._settled.get(partition)
        if settled is not None and settled.first <= wanted.first:
            first = settled.last + partition.timeframe.milliseconds
            if first > wanted.last:
                return []
            wanted = Span(max(first, wanted.first), wanted.last)
        missing = await self._missing(partition, wanted)
        newest = await self._thread.run(self._market_data.newest_candle, partition)
        if newest is not None and all(span.last > newest for span in missing):
            first = wanted.first if settled is None else min(settled.first, wanted.first)
            self._settled[partition] = Span(min(first, newest), newest)
        return missing

    async def _missing(self, partition: Partition, wanted: Span) -> list[Span]:
        run, step = self._thread.run, partition.timeframe.milliseconds
        first = max(wanted.first - COMPARED * step, 0)
        runs = await run(self._market_data.runs, partition, first, wanted.last)
        stored = [Span(*run) for run in runs]
        archived = [Span(*span) for span in await run(self._archive.spans, partition)]
        excused = await run(self._gaps.excused, partition, wanted)
        missing = subtract([wanted], joined(stored + archived + excused, step), step)
        return compared(missing, stored, step)

    async def _fetch(self, window: Window, patience: int | None) -> None:
        partition, span = window.partition, window.span
        timeframe = partition.timeframe
        reach = self._reaches.get(partition)
        if reach is not None and span.last < reach:  # an older window came back with newer candles
            await self._intake.beyond(partition, [span], reach)
            return
        edge = timeframe.newest_closed(self._line.clock.now()) - timeframe.milliseconds
        if window.again or span.last < edge:
            await self._take(window, patience)
            return
        async with self.edge(partition):  # the newest candles may have been taken meanwhile
            for left in await self._missing(partition, span):
                await self._take(Window(partition, left), patience)

    async def _take(self, window: Window, patience: int | None) -> None:
        """Takes one window, as often as it needs; the line waits out what the exchange needs."""
        failures, partition, span = 0, window.partition, window.span
        while True:
            try:
                taken = await self._intake.take(partition, span, again=window.again)
            except RejectedError as error:
                self._failed[partition] = str(error)
                return
            except TransientError as error:
                failures += 1
                own = not self._line.is_waiting  # this partition's fault and not the exchange's
                if failures >= (patience or _PATIENCE) and (own or patience is not None):
                    self._failed[partition] = str(error)
                    return
                if own:
                    await asyncio.sleep(_PAUSE_S * failures)
            else:
                self._progress.advance(partition, span.count(partition.timeframe.milliseconds))
                self._log.debug("window_taken", partition=str(partition), stored=taken.stored.count)
                if taken.reach is not None:
                    self._reaches[partition] = taken.reach
                return


def _by_turns(plans: Iterable[list[Window]]) -> Iterator[Window]:
    """One window of each partition, then the next of each: all of them are ready early."""
    turns = zip_longest(*plans)
    return (window for turn in turns for window in turn if window is not None)
