"""The one thread that touches the database, so that the event loop never waits for a disk or a lock."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog

from backfiller.space import Space, full
from common.database import DatabaseLocked
from common.database_failures import DatabaseFull, is_full

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """Runs what reads or writes the database, one after the other."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self.space = Space()
        self.tell_locked: Callable[[str], None] = lambda _: None

    async def run(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Awaits the result. A task that is cancelled leaves a begun transaction to end as it would.

        What finds the disk full is done again when there is room, and what finds the file locked is tried
        again: it has to be one transaction, or to bear being repeated.

        Raises:
            DatabaseFull: there is no room on the disk, and nobody here waits.
            DatabaseLocked: another process holds the lock, and nobody here waits.
        """
        while True:
            await self.space.wait()
            try:
                return await self.attempt(act, *args, **kwargs)
            except DatabaseFull as error:
                self.space.close(str(error))
            except DatabaseLocked as error:
                if not self.space.is_patient:
                    raise
                tell_busy(error)
                self.tell_locked(str(error))

    async def attempt(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does it now, once.

        Raises:
            DatabaseFull: there is no room on the disk.
            DatabaseLocked: another process held the lock for as long as is waited for it.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, partial(act, *args, **kwargs))
        except (DatabaseFull, OSError) as error:
            if not is_full(error):
                raise
            raise full(error) from error

    def close(self) -> None:
        """Waits for what is under way and drops what has not begun."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def tell_busy(error: DatabaseLocked) -> None:
    """Says that another process keeps this one from writing: in the log, since nothing can be written."""
    structlog.get_logger().warning("database_busy", error=str(error))
