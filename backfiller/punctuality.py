"""Whether one exchange's candles and tickers are taken when they are due, and if not, whose fault that is.

An exchange that fails, bans or lags makes its partitions late; that is told, and no reason to start the daemon
anew. A worker that does not even ask any more is stuck, and that is. What is taken is the answer, not the candle:
where nothing traded there is none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backfiller.needs import Need
    from common.clock import MarketClock
    from common.partition import Partition

LATE_S = (
    60.0  # of this machine's time, after a candle's close: the exchange is asked for it at once
)
STUCK_S = 120.0  # without an answer or a failure; a call takes a minute at most
_PAUSED_S = 15.0
_TURN_S = 3.0  # more for each partition, since they are asked for in turns


@dataclass(frozen=True, slots=True)
class Lateness:
    """What is late: in words, and whether the worker has ceased to ask."""

    why: str
    is_stuck: bool = False


class Punctuality:
    """Watches one worker. Times are seconds of the machine's monotonic clock, but for candles' open times."""

    def __init__(self, exchange: str, now: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._now = now
        self._needs: Mapping[Partition, Need] = {}
        self._reached: dict[Partition, int] = {}
        self._tried: dict[Partition, float] = {}
        self._failures: dict[Partition, str] = {}
        self._late_since: dict[Partition, float] = {}
        self._priced_at = 0.0
        self._waited_at = self._looked_at = now()

    def serve(self, needs: Mapping[Partition, Need]) -> None:
        """What is fetched from now on."""
        now = self._now()
        for partition in needs.keys() - self._needs.keys():
            self._tried[partition] = now
        self._needs = needs
        self._priced_at = self._priced_at or now

    def took(self, partition: Partition, last: int) -> None:
        """An answer about the candles up to the one that opened at `last` was stored."""
        self._reached[partition] = max(last, self._reached.get(partition, last))
        self._tried[partition] = self._now()
        self._failures.pop(partition, None)

    def failed(self, partition: Partition, why: str) -> None:
        """A question was not answered, or its answer not stored."""
        self._tried[partition] = self._now()
        self._failures[partition] = why

    def priced(self) -> None:
        """Tickers were asked for, whatever came of it."""
        self._priced_at = self._now()

    def look(
        self, clock: MarketClock | None, ticker_every_s: float, *, waits: bool
    ) -> Lateness | None:
        """What is late now; None: nothing. To be called again and again.

        Args:
            clock: the exchange's; None before it was heard.
            ticker_every_s: how often tickers are due.
            waits: whether nothing can be asked or stored now, for a reason that is told elsewhere.
        """
        now = self._now()
        if (
            waits or now - self._looked_at > _PAUSED_S
        ):  # looks come each second: the process was paused
            self._waited_at = now
        self._looked_at = now
        if clock is None:
            silent_s = now - self._waited_at
            why = f"{self._exchange}: no answer and no failure for {_rounded(silent_s)} s since the start"
            return Lateness(why, is_stuck=True) if silent_s > STUCK_S else None
        late = [one for one in self._needs if self._is_late(one, clock, now)]
        allowed_s = STUCK_S + _TURN_S * len(self._needs)
        for partition in late:
            silent_s = now - max(self._tried[partition], self._waited_at)
            if silent_s > allowed_s:
                return Lateness(
                    f"{partition}: not asked for {_rounded(silent_s)} s, though a candle is due",
                    is_stuck=True,
                )
        silent_s = now - max(self._priced_at or now, self._waited_at)
        if silent_s > STUCK_S + 2 * ticker_every_s:
            return Lateness(
                f"{self._exchange}: tickers not asked for {_rounded(silent_s)} s", is_stuck=True
            )
        return Lateness(self._told(late)) if late else None

    def _is_late(self, partition: Partition, clock: MarketClock, now: float) -> bool:
        """Whether a candle has been due for too long, on the exchange's clock and for as long on this machine's.

        Both: a clock that is set, or a container that was paused, makes candles old at once.
        """
        timeframe, reached = partition.timeframe, self._reached.get(partition)
        wanted = self._needs[partition].wanted(clock.now())
        is_due = wanted is not None and (
            reached is None
            or clock.age_s(timeframe.close_of(reached + timeframe.milliseconds)) > LATE_S
        )
        if not is_due:
            self._late_since.pop(partition, None)
            return False
        return now - self._late_since.setdefault(partition, now) > LATE_S

    def _told(self, late: list[Partition]) -> str:
        first = next((one for one in late if one in self._failures), late[0])
        why = self._failures.get(first, "being caught up with")
        return (
            f"{len(late)} of {len(self._needs)} partitions of {self._exchange} late, {first}: {why}"
        )


def _rounded(seconds: float) -> int:
    """So that a heartbeat's words do not change each second."""
    return int(seconds // 10 * 10)
