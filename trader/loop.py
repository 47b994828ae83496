"""The trader's loop: wakes when there is news, and every second for the rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from common.database_failures import is_full
from common.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from trader.engine import Engine, Progress
    from trader.stop import Stop

LOOK_EVERY_S = 0.05  # how long a new candle may lie unseen: a look costs some 10 microseconds
SETTLE_WITHIN_S = 60.0  # prices come every few seconds where there is a backfiller
SLOW_PASS_S = 1.0  # the heartbeat, and the ages of things, which move without a commit


def run(
    engine: Engine,
    *,
    news: Callable[[], Hashable],
    report: Callable[[Progress], None],
    failed: Callable[[str], None],
    stop: Stop,
) -> None:
    """Advances the engine until `stop` is set.

    Args:
        engine: what to advance.
        news: what it answers differs from its last answer if there is something to look at, see `trader.news`.
        report: told after each pass how the trader is doing.
        failed: told after a pass that could not be made why not.
        stop: set by a signal handler.
    """
    due, more, doubtful = 0.0, False, False
    seen: Hashable = None
    trouble = _Trouble()
    while not stop.is_set():
        try:
            token = news()
            if token != seen or more or time.monotonic() >= due:
                seen, due = token, time.monotonic() + SLOW_PASS_S
                if doubtful:
                    engine.reload()
                progress = engine.advance()
                more, doubtful = progress.more, False
                report(progress)
                trouble.is_over()
        except TransientError as error:
            trouble.tell(error)
            failed(str(error))
            more, doubtful = False, True  # a write may not have happened
        if not more:
            stop.wait(LOOK_EVERY_S)


class _Trouble:
    """Why nothing can be written, said when it begins and not at each trial: the log may be on the same full disk."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()
        self._told = ""

    def tell(self, error: TransientError) -> None:
        if str(error) != self._told:
            self._told = str(error)
            kind = "disk_full" if is_full(error) else "database_busy"
            self._log.warning(kind, error=self._told)

    def is_over(self) -> None:
        if self._told:
            self._told = ""
            self._log.info("database_writable")


def run_once(
    engine: Engine,
    *,
    report: Callable[[Progress], None],
    stop: Stop,
    patience_s: float = SETTLE_WITHIN_S,
) -> Progress:
    """Advances the engine until it has nothing left to do now.

    An order that this led to fills at a price that is still to come, so it is waited for, at most
    `patience_s`; after that it is taken up by the next run.
    """
    deadline = time.monotonic() + patience_s
    while True:
        progress = engine.advance()
        report(progress)
        waits = engine.awaits_fill and time.monotonic() < deadline
        if stop.is_set() or not (progress.more or waits):
            return progress
        if not progress.more:
            stop.wait(LOOK_EVERY_S)
