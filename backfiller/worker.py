"""One exchange: its markets, its clock, its history, its closes and its tickers.

A worker shares nothing with another but the database thread, so that an exchange which is down, slow or
banning delays nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from apscheduler.triggers.interval import IntervalTrigger

from backfiller.built import Built
from backfiller.closes import Closes
from backfiller.history import History
from backfiller.intake import Intake
from backfiller.line import Line
from backfiller.needs import with_sources
from backfiller.offer import Offer, wrong_speed
from backfiller.parsing import markets_of
from backfiller.punctuality import Lateness, Punctuality
from backfiller.tickers import Tickers
from backfiller.trigger import CandleCloseTrigger
from common.database import DatabaseLocked
from common.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from backfiller.needs import Need
    from backfiller.shared import Shared
    from backfiller.source import Source
    from common.partition import Partition
    from common.timeframe import Timeframe

_CLOCK_MOVED_MS = 250
_SPEED_MEASURED_S = (0.5, 1.0, 4.0)  # again, and longer: an answer may have been under way for long
PATIENCE = 5  # how often a call may fail before --once goes without what it was for
T = TypeVar("T")


class Worker:
    """Keeps the partitions of one exchange."""

    def __init__(self, source: Source, shared: Shared, scheduler: Any) -> None:
        self.line = Line(source, shared.exchanges, shared.thread)
        self._source = source
        self._shared = shared
        self._scheduler = scheduler
        self._wanted: Mapping[Partition, Need] = {}
        self._served: dict[Partition, Need] = {}
        self._offer: Offer | None = None
        self._is_scheduled = False
        self._closes_of: set[Timeframe] = set()
        self._told: set[str] = set()
        self._built = Built(shared.database)
        self._punctuality = Punctuality(source.exchange)
        intake = Intake(self.line, self._built, shared, self._punctuality)
        self._history = History(self.line, intake, self._built, shared)
        self._closes = Closes(self.line, intake, self._history, shared)
        self._tickers = Tickers(self.line, shared)

    async def need(self, needs: Mapping[Partition, Need]) -> None:
        """What is needed of this exchange from now on.

        Raises:
            ConfigurationError: the exchange is known not to offer a configured partition.
        """
        if needs == self._wanted:
            return
        self._wanted = needs
        if self._offer is not None:
            await self._serve(self._offer)

    async def run(self) -> None:
        """Serves what is needed, for ever.

        Raises:
            ConfigurationError: what is configured cannot be served.
        """
        await self._begin(patience=None)
        self._schedule()
        await self._history.run()

    async def once(self) -> list[str]:
        """Fetches everything that is missing now, and tickers; returns what could not be had.

        Raises:
            DatabaseLocked: another process kept the database locked, which is none of the exchange's doing.
        """
        try:
            await self._begin(patience=PATIENCE)
            failed = await self._history.fill(patience=PATIENCE)
            await _patiently(self._take_tickers, PATIENCE)
        except DatabaseLocked:
            raise
        except TransientError as error:
            return [f"{self._source.exchange}: {error}"]
        return [f"{partition}: {why}" for partition, why in failed.items()]

    def lateness(self) -> Lateness | None:
        """What of this exchange is late now, to be asked again and again."""
        return self._punctuality.look(
            self.line.heard_clock,
            self._shared.settings.ticker_interval_s,
            waits=self.line.is_waiting or self._shared.thread.space.is_closed,
        )

    def hear_clock_soon(self) -> None:
        """Has the exchange's clock read now, and not only when it is due."""
        if self._is_scheduled:
            self._scheduler.modify_job(self._job("clock"), next_run_time=datetime.now(UTC))

    async def close(self) -> None:
        """Gives the connections back."""
        await self._source.close()

    async def _begin(self, patience: int | None) -> None:
        exchange, thread = self._source.exchange, self._shared.thread
        await thread.run(self._shared.exchanges.require_source, exchange, self._source.api_url)
        self._offer = await _patiently(self._ask_offer, patience)
        await self._serve(self._offer)

    async def _ask_offer(self) -> Offer:
        """The exchange's clock and what it has, recorded for the traders."""
        await self.line.read_clock()
        markets = await self.line.call(self._source.markets)
        if self._source.api_url is not None:
            await self._require_speed()
        offer = Offer(self._source.exchange, frozenset(markets), tuple(self._source.timeframes))
        await self._shared.thread.run(
            self._shared.exchanges.record_markets,
            offer.exchange,
            [timeframe.value for timeframe in offer.to_be_had],
            markets_of(markets, self._source.precision_mode),
        )
        return offer

    async def _require_speed(self) -> None:
        """Holds CLOCK_SPEED against what passes at the exchange.

        Raises:
            ConfigurationError: they differ, each time.
        """
        for pause_s in _SPEED_MEASURED_S:
            before = self.line.clock
            await asyncio.sleep(pause_s)
            why = wrong_speed(before, await self.line.read_clock())
            if why is None:
                return
        raise ConfigurationError(why)

    async def _serve(self, offer: Offer) -> None:
        """Takes up what the exchange offers of what is needed; says once what it does not offer."""
        refused = {need: why for need in self._wanted.values() if (why := offer.refusal(need))}
        if mistakes := [why for need, why in refused.items() if await self._is_mistake(need)]:
            raise ConfigurationError("\n".join(mistakes))
        for need, why in refused.items():
            if why not in self._told:
                self._told.add(why)
                await self._shared.record_once(
                    "error", "partition_refused", why, partition=str(need.partition)
                )
        await self._take_up(
            {need.partition: need for need in self._wanted.values() if need not in refused}, offer
        )
        if self._is_scheduled:
            self._schedule_closes()

    async def _take_up(self, needs: Mapping[Partition, Need], offer: Offer) -> None:
        """Has these needs fetched, or built of what is fetched where the exchange has no such timeframe."""
        built = {}
        for partition in needs:
            source = offer.source_of(partition.timeframe)
            await self._shared.thread.run(self._shared.partitions.record_built, partition, source)
            if source is not None:
                built[partition] = replace(partition, timeframe=source)
        self._built.keep(built)
        self._served = with_sources(needs, built)
        self._punctuality.serve(self._served)
        self._history.need(self._served, {partition: needs[partition] for partition in built})

    async def _is_mistake(self, need: Need) -> bool:
        """Whether the user has to change a partition that is refused: one that never had a candle.

        A market that was there once and is closed now must not take the others with it.
        """
        data = self._shared.market_data
        newest = await self._shared.thread.run(data.newest_candle, need.partition)
        return need.key is not None and newest is None

    def _schedule(self) -> None:
        settings = self._shared.settings
        for what, job, seconds in (
            ("clock", self._read_clock, settings.clock_interval_s),
            ("tickers", self._observe, settings.ticker_interval_s),
        ):
            self._scheduler.add_job(job, IntervalTrigger(seconds=seconds), id=self._job(what))
        self._scheduler.modify_job(self._job("tickers"), next_run_time=datetime.now(UTC))
        self._is_scheduled = True
        self._schedule_closes()

    def _schedule_closes(self) -> None:
        for timeframe in {partition.timeframe for partition in self._served} - self._closes_of:
            self._closes_of.add(timeframe)
            self._scheduler.add_job(
                self._at_close,
                CandleCloseTrigger(timeframe, lambda: self.line.clock),
                id=self._job(f"close {timeframe}"),
                args=[timeframe],
            )

    async def _at_close(self, timeframe: Timeframe) -> None:
        await self._closes.take(
            partition for partition in self._served if partition.timeframe is timeframe
        )

    async def _take_tickers(self) -> None:
        await self._tickers.take(partition.symbol for partition in self._served)

    async def _observe(self) -> None:
        """Takes tickers if the exchange answers now: a price of a minute ago is of no use later."""
        if self.line.is_waiting:
            return
        with contextlib.suppress(TransientError):  # the line has said so
            await self._take_tickers()
        self._punctuality.priced()

    async def _read_clock(self) -> None:
        before = self.line.clock
        try:
            after = await self.line.read_clock()
        except TransientError:
            return  # the line has said so, and the clock of a minute ago is still good
        if abs(after.now() - before.now()) / after.speed < _CLOCK_MOVED_MS:
            return
        for timeframe in self._closes_of:
            trigger = CandleCloseTrigger(timeframe, lambda: self.line.clock)
            self._scheduler.reschedule_job(self._job(f"close {timeframe}"), trigger=trigger)

    def _job(self, what: str) -> str:
        return f"{self._source.exchange} {what}"


async def _patiently(act: Callable[[], Awaitable[T]], patience: int | None) -> T:
    """Does it until it succeeds, or has failed so often; the line waits between."""
    failures = 0
    while True:
        try:
            return await act()
        except TransientError:
            failures += 1
            if patience is not None and failures >= patience:
                raise
