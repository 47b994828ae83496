"""The line to one exchange: a few calls at a time, none during a back-off, and the exchange's clock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

import structlog

from backfiller.backoff import Backoff
from common.clock import KeptClock, MarketClock, wall_now
from common.errors import TransientError
from common.exchange_failures import BannedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backfiller.database_thread import DatabaseThread
    from backfiller.source import Source
    from common.exchange_status import Exchanges

T = TypeVar("T")
_CALLS_AT_A_TIME = (
    4  # ccxt queues what its rate limit holds back: a short queue keeps its order fair
)


class Line:
    """Every call to one exchange goes through here, and its failures delay this exchange only."""

    def __init__(self, source: Source, exchanges: Exchanges, thread: DatabaseThread) -> None:
        self.source = source
        self.state, self.state_until = "starting", 0
        self._clock: MarketClock | None = None
        self._kept = KeptClock()
        self._exchanges = exchanges
        self._thread = thread
        self._slots = asyncio.Semaphore(_CALLS_AT_A_TIME)
        self._backoff = Backoff()
        self._log = structlog.get_logger().bind(exchange=source.exchange)

    @property
    def exchange(self) -> str:
        """Its ccxt id."""
        return self.source.exchange

    @property
    def clock(self) -> MarketClock:
        """The exchange's clock as last heard; it has been heard before anything else is done.

        This machine's may have been set since then; an exchange's clock that goes by it would take an open candle
        for a closed one.
        """
        assert self._clock is not None
        return self._kept.hear(self._clock)

    @property
    def heard_clock(self) -> MarketClock | None:
        """The exchange's clock as last heard; None before it was."""
        return self._clock

    @property
    def is_waiting(self) -> bool:
        """Whether a call would have to wait for the end of a back-off."""
        return self._backoff.wait_s(time.monotonic()) > 0

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Awaits one call, after the end of any back-off; its failure begins the next one."""
        async with self._slots:
            while (wait_s := self._backoff.wait_s(time.monotonic())) > 0:  # noqa: ASYNC110 - it may grow
                await asyncio.sleep(wait_s)
            started = time.monotonic()
            try:
                answer = await ask()
            except TransientError as error:
                await self._failed(error, started)
                raise
            await self._succeeded(started)
            return answer

    async def read_clock(self) -> MarketClock:
        """Asks the exchange for its time, and records it for the traders."""
        self._clock = await self.call(self.source.clock)
        clock = self.clock
        await self._thread.run(self._exchanges.record_clock, self.exchange, clock)
        return clock

    async def _failed(self, error: TransientError, started: float) -> None:
        now = time.monotonic()
        if not self._backoff.fail(started, now, error.retry_after_s):
            return
        wait_s = self._backoff.wait_s(now)
        state = "banned" if isinstance(error, BannedError) else "backing_off"
        self._log.warning(state, for_s=round(wait_s, 1), error=str(error))
        await self._tell(state, wall_now() + int(wait_s * 1000), str(error))

    async def _succeeded(self, started: float) -> None:
        if self._backoff.succeed(started):
            self._log.info("answers_again")
        elif self.state != "starting":
            return
        await self._tell("ok", 0, None)

    async def _tell(self, state: str, until: int, error: str | None) -> None:
        self.state, self.state_until = state, until
        await self._thread.run(
            self._exchanges.record_state, self.exchange, state, until=until or None, error=error
        )
