"""The gate before the database: closed while the disk is full, so that what was under way waits and is done again.

Every write is a transaction that a full disk undoes as a whole, and may be repeated. So a full disk looks to
the workers like a slow database: they keep what they have fetched, ask for nothing more, and go on.
"""

from __future__ import annotations

import asyncio

import structlog

from common.clock import wall_now
from common.database_failures import DatabaseFull


class Space:
    """Whether there is room to write. Belongs to the event loop."""

    def __init__(self) -> None:
        self.closed_since: int | None = None  # this machine's time
        self.why = ""
        self.is_patient = False  # who does its work once does not wait for room
        self._room = asyncio.Event()
        self._room.set()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is to be written now."""
        return self.closed_since is not None

    def close(self, why: str) -> None:
        """Stops writing, and says so once."""
        if self.is_closed:
            return
        self.closed_since, self.why = wall_now(), why
        self._room.clear()
        structlog.get_logger().error("disk_full", message=why)

    def open(self) -> None:
        """Lets everyone go on who waited."""
        self.closed_since = None
        self._room.set()

    async def wait(self) -> None:
        """Waits for room.

        Raises:
            DatabaseFull: there is none, and nobody here waits.
        """
        if self.is_closed and not self.is_patient:
            raise DatabaseFull(self.why)
        await self._room.wait()


def full(error: BaseException) -> DatabaseFull:
    """The error of a full disk, whichever file it was found with."""
    return error if isinstance(error, DatabaseFull) else DatabaseFull(str(error))
