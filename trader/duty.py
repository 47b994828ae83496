"""A trader's duty: each candle that is stored gets its signal. Whether it is done, for the heartbeat."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from common.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from trader.engine import Progress

LIMIT_S = 60.0  # of this machine's time: a signal takes milliseconds, a long catching up moves all the time


class Duty:
    """Watches the signals come."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` is in seconds of whatever clock."""
        self._now = now
        self._evaluated: int | None = None
        self._since = now()

    def neglected(self, progress: Progress) -> str:
        """What has not been done for too long; empty where nothing is, or where a reason to wait is stated."""
        now = self._now()
        newest, evaluated = progress.newest, progress.evaluated
        is_done = newest is None or (evaluated is not None and evaluated >= newest)
        if is_done or progress.state == "waiting" or evaluated != self._evaluated:
            self._evaluated, self._since = evaluated, now
            return ""
        if now - self._since < LIMIT_S:
            return ""
        assert newest is not None
        last = "no candle" if evaluated is None else f"that of {utc(evaluated)} UTC"
        return (
            f"expected a signal for the candle of {utc(newest)} UTC within {LIMIT_S:.0f} s, found the last one "
            f"for {last}"
        )

    def achieved(self, progress: Progress) -> str:
        """What was done last."""
        return "" if progress.evaluated is None else f"evaluated {utc(progress.evaluated)} UTC"
