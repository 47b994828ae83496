"""The daemon's upkeep: what is done now and then, each in a short step of the database thread."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from apscheduler.triggers.interval import IntervalTrigger

from backfiller.archive.child import archive_in_child
from backfiller.upkeep.disk import Disk, Room, can_write, measure, readable
from backfiller.upkeep.wal import checkpoint, optimize
from common.errors import TransientError

if TYPE_CHECKING:
    from backfiller.shared import Shared

_DAY_S = 86_400
_GROWN = 4  # how many times its limit the WAL may have before a person should look


class Upkeep:
    """Looks after one database."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._settings = shared.settings.upkeep
        self._database = shared.database
        self._thread = shared.thread
        self._space = shared.thread.space
        self._disk: Disk | None = None
        self._is_low = self._is_grown = False
        self._told_full: int | None = None
        self._is_first = True
        self._log = structlog.get_logger()

    def schedule(self, scheduler: Any) -> None:
        """Has it done from now on; what finds the disk full waits for room from now on."""
        self._space.is_patient = True
        soon = datetime.now(UTC) + timedelta(seconds=self._settings.daily_first_after_s)
        for name, job, seconds, first in (
            ("watch", self.watch, self._settings.watch_interval_s, datetime.now(UTC)),
            ("checkpoint", self.checkpoint, self._settings.checkpoint_interval_s, None),
            ("daily", self.daily, _DAY_S, soon),
        ):
            job_id = f"upkeep {name}"
            scheduler.add_job(job, IntervalTrigger(seconds=seconds), id=job_id)
            if first is not None:
                scheduler.modify_job(job_id, next_run_time=first)

    def trouble(self) -> tuple[str, str] | None:
        """The state and detail of a heartbeat while nothing can be written."""
        return ("disk_full", f"nothing is written: {self._space.why}") if self._is_closed else None

    def note(self) -> str:
        """What else a heartbeat should say, with a comma before it."""
        return f", disk low: {self._disk}" if self._is_low else ""

    async def watch(self) -> None:
        """Looks at the disk: stops writing, warns, or lets writing go on."""
        self._disk = disk = await self._thread.attempt(measure, self._database.path)
        room = disk.room(self._settings, is_closed=self._is_closed)
        if room is Room.NONE and not self._is_closed:
            floor = readable(self._settings.stop_free)
            self._space.close(f"{disk}, writing stops below {floor}")
        with contextlib.suppress(TransientError):
            await self._tell_full()
            if self._is_closed and room is not Room.NONE:
                await self._try_again(disk)
            await self._tell_low(room)

    async def checkpoint(self) -> None:
        """Checkpoints; cuts the WAL file if it has grown."""
        wal = (await self._thread.attempt(measure, self._database.path)).wal
        limit = self._settings.wal_limit
        with contextlib.suppress(TransientError):
            done = await self._thread.attempt(checkpoint, self._database, truncate=wal > limit)
            was_grown, self._is_grown = self._is_grown, not done.truncated and wal > _GROWN * limit
            if self._is_grown and not was_grown:
                await self._shared.record(
                    "warning",
                    "wal_grows",
                    f"the WAL has {readable(wal)}: some process reads without an end, so it cannot be reset",
                )

    async def daily(self) -> None:
        """Refreshes the planner's statistics, and moves old candles to the archive."""
        with contextlib.suppress(TransientError):
            await self._thread.attempt(optimize, self._database, first=self._is_first)
            self._is_first = False
        status, problems = await archive_in_child(self._shared.environment)
        if status != 0:
            await self._shared.record(
                "warning", "archive_incomplete", problems or f"status {status}", status=status
            )
        self._log.info("upkeep_done", disk=str(self._disk), archive_status=status)

    @property
    def _is_closed(self) -> bool:
        return self._space.is_closed

    async def _tell_full(self) -> None:
        """Writes the event of a full disk once, as soon as there is room for it."""
        since = self._space.closed_since
        if since is None or self._told_full == since:
            return
        keep = self._shared.events.keep
        await self._thread.attempt(keep, "error", "disk_full", self._space.why, since=since)
        self._told_full = since

    async def _try_again(self, disk: Disk) -> None:
        """Lets writing go on if it can: a quota is not seen in what a disk has left."""
        if not await self._thread.attempt(can_write, self._database):
            return
        since, record = self._space.closed_since, self._shared.events.record
        await self._thread.attempt(record, "info", "disk_has_room", f"{disk}", since=since)
        self._space.open()

    async def _tell_low(self, room: Room) -> None:
        was_low, self._is_low = self._is_low, room is not Room.PLENTY
        if room is Room.LOW and not was_low:
            await self._shared.record("warning", "disk_low", f"{self._disk}")
