"""How a long job shares the one write lock: short transactions, and between them long enough pauses."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from common.database import Database

_HOLD_S = 0.02  # how long a transaction should have the lock
_PAUSE_S = 0.0125  # between two: longer than a waiting writer sleeps before it tries again


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python looks for garbage at another time: among a month of rows that takes 100 ms."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Pace:
    """The rhythm of one job's transactions. `size` is how many things the next one should do."""

    def __init__(self, database: Database, *, size: int, least: int, most: int) -> None:
        self._database = database
        self._least, self._most = least, most
        self._free_since = 0.0
        self.size = size

    @contextmanager
    def write(self, done: int) -> Iterator[sa.Connection]:
        """A transaction that does so many things; begins when the lock was free for long enough.

        A slow disk or a busy machine gets smaller transactions, so that others wait no longer there.

        Raises:
            DatabaseLocked: the lock was not to be had within 10 seconds.
        """
        left_s = _PAUSE_S - (time.monotonic() - self._free_since)
        if left_s > 0:
            time.sleep(left_s)
        with _no_collection(), self._database.write() as connection:
            locked = time.monotonic()
            yield connection
        self._free_since = time.monotonic()
        fitting = int(done * _HOLD_S / (self._free_since - locked))
        slower = max(fitting, self.size // 2, self._least)
        self.size = min(slower, self.size * 2, self._most)
