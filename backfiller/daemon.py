"""The daemon: finds out what is needed, has a worker for each exchange, and says that it is alive."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from backfiller.database_thread import tell_busy
from backfiller.needs import combined, configured
from backfiller.settings import config_file
from backfiller.shared import SOURCE
from backfiller.source import Source
from backfiller.upkeep.upkeep import Upkeep
from backfiller.worker import Worker
from common.clock import ClockWatch
from common.database import DatabaseLocked
from common.database_failures import DatabaseFull
from common.errors import CandlewellError, ConfigurationError
from common.heartbeat import Heartbeat
from common.registry import Registry
from common.watch import Watch

if TYPE_CHECKING:
    from backfiller.needs import Need
    from backfiller.shared import Shared
    from common.partition import Partition

Needs = dict["Partition", "Need"]


class Daemon:
    """All exchanges."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._configured = configured(shared.settings, config_file(shared.environment))
        self._registry = Registry(shared.database)
        self._watch = Watch(shared.database)
        self._heartbeat = Heartbeat(shared.database, SOURCE, environment=shared.environment)
        shared.thread.tell_locked = self._heartbeat.failed
        self._upkeep = Upkeep(shared)
        self._workers: dict[str, Worker] = {}
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._refused: set[str] = set()
        self._needs: Needs | None = None
        self._commits: int | None = None  # up to which registrations are known
        self._is_stuck = False
        self._job_failure: BaseException | None = None
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._job_failed, EVENT_JOB_ERROR)
        self._clock_watch = ClockWatch()
        self._log = structlog.get_logger()

    async def run(self, stopped: asyncio.Event) -> None:
        """Serves until it is stopped.

        Raises:
            ConfigurationError: the user has to change something.
        """
        self._upkeep.schedule(self._scheduler)
        self._scheduler.start()
        try:
            await self._upkeep.watch()
            while not stopped.is_set():
                await self._look_at_clock()
                await self._look_around(once=False)
                self._results()
                await self._wait(stopped)
        except Exception as error:
            await self._end("failed", str(error))
            raise
        await self._end("stopped")

    async def once(self, stopped: asyncio.Event) -> list[str]:
        """Fetches what is missing now; returns what could not be had."""
        problems: list[str] = []
        space = self._shared.thread.space
        try:
            await self._upkeep.watch()
            await self._look_around(once=True)
            while self._tasks and not stopped.is_set():
                if space.is_closed:
                    break
                await self._beat()
                await self._wait(stopped)
                problems += self._results()
            if stopped.is_set():
                problems.append("stopped before the end")
            if space.is_closed:
                problems.append(space.why)
        except Exception as error:
            await self._end("failed", str(error))
            raise
        await self._end("stopped", "; ".join(problems))
        return problems

    def _results(self) -> list[str]:
        """What the workers said that have ended since the last time; raises what any of them raised."""
        if self._job_failure is not None:
            raise self._job_failure
        done = [exchange for exchange, task in self._tasks.items() if task.done()]
        tasks = [self._tasks.pop(exchange) for exchange in done]
        errors = [error for task in tasks if (error := task.exception()) is not None]
        mistakes = [str(error) for error in errors if isinstance(error, ConfigurationError)]
        for error in errors:
            if not isinstance(error, ConfigurationError):
                raise error
        if mistakes:
            raise ConfigurationError("\n".join(dict.fromkeys(mistakes)))
        return [problem for task in tasks for problem in task.result()]

    async def _wait(self, stopped: asyncio.Event) -> None:
        """Waits for the next round, or until it is stopped or a worker has ended."""
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait(
            {stopping, *self._tasks.values()},
            timeout=self._shared.settings.registration_poll_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        stopping.cancel()

    async def _look_at_clock(self) -> None:
        """Has everything done in its time though this machine's clock was set, and hears the exchanges' anew.

        Set forward, all that is planned is due at once. Set back, it would wait for as long as that is.
        """
        moved = self._clock_watch.moved
        if not moved:
            return
        self._clock_watch = ClockWatch()
        for job in self._scheduler.get_jobs() if moved < 0 else ():
            later = job.next_run_time + timedelta(milliseconds=moved)
            self._scheduler.modify_job(job.id, next_run_time=later)
        for worker in self._workers.values():
            worker.hear_clock_soon()
        how = f"{'forward' if moved > 0 else 'back'} by {abs(moved) / 1000:.1f} s"
        message = f"this machine's clock was set {how}"
        await self._shared.record("warning", "clock_set", message, moved_ms=moved)

    async def _look_around(self, *, once: bool) -> None:
        """Looks for registrations, hands out what is needed, and beats.

        On a full disk too, unwaited; a daemon that finds the file locked comes around again.
        """
        space = self._shared.thread.space
        try:
            commits = await self._shared.thread.attempt(self._watch.commits)
            if commits != self._commits and not space.is_closed:
                self._commits = commits
                needs = await self._needed()
                if needs != self._needs:
                    self._needs = needs
                    await self._hand_out(needs, once=once)
        except DatabaseFull as error:
            self._commits = None
            space.close(str(error))
        except DatabaseLocked as error:
            self._commits = None
            if once:
                raise
            tell_busy(error)
        await self._beat()

    async def _needed(self) -> Needs:
        registered, mistakes = await self._shared.thread.attempt(self._registry.needs_and_mistakes)
        for mistake in mistakes:
            await self._refuse(mistake)
        return combined(self._configured, registered, self._shared.settings.history)

    async def _hand_out(self, needs: Needs, *, once: bool) -> None:
        by_exchange: dict[str, Needs] = {}
        for partition, need in needs.items():
            by_exchange.setdefault(partition.exchange, {})[partition] = need
        for exchange, own in by_exchange.items():
            if exchange not in self._workers:
                await self._hire(exchange, own, once=once)
            else:
                await self._workers[exchange].need(own)

    async def _hire(self, exchange: str, needs: Needs, *, once: bool) -> None:
        """Begins with an exchange. One that only a strategy names must not stop the others."""
        is_configured = any(need.key is not None for need in needs.values())
        settings = self._shared.settings
        try:
            source = Source(
                exchange,
                timeout_s=settings.request_timeout_s,
                speed=settings.clock_speed,
                environment=self._shared.environment,
            )
        except ConfigurationError as error:
            if is_configured:
                raise
            await self._refuse(f"{exchange}: {error}")
            return
        worker = Worker(source, self._shared, self._scheduler)
        self._workers[exchange] = worker
        await worker.need(needs)
        working = self._working(worker, is_configured=is_configured, once=once)
        self._tasks[exchange] = asyncio.create_task(working, name=exchange)

    async def _working(self, worker: Worker, *, is_configured: bool, once: bool) -> list[str]:
        try:
            if once:
                return await worker.once()
            await worker.run()
        except ConfigurationError as error:
            if is_configured:
                raise
            await self._refuse(str(error))
        return []

    async def _refuse(self, why: str) -> None:
        if why not in self._refused:
            self._refused.add(why)
            await self._shared.record_once("error", "registration_refused", why)

    async def _beat(self) -> None:
        state, detail, problem = self._state()
        if state == "stuck" and not self._is_stuck:
            self._log.error("stuck", detail=detail)
        self._is_stuck = state == "stuck"
        # Its file tells the health check all the same.
        with contextlib.suppress(DatabaseFull, DatabaseLocked):
            beat = self._heartbeat.beat
            await self._shared.thread.attempt(beat, state, detail, problem=problem)

    def _state(self) -> tuple[str, str, str]:
        """The worst state, with all exchanges that are in one, and what of it makes the daemon unhealthy.

        An exchange that fails is no reason to start this daemon anew, and is told; a full disk or a worker that
        does not get on is.
        """
        if trouble := self._upkeep.trouble():
            return *trouble, trouble[1]
        workers = [self._workers[exchange] for exchange in self._tasks]
        late = [found for worker in workers if (found := worker.lateness()) is not None]
        if stuck := "; ".join(one.why for one in late if one.is_stuck):
            return "stuck", stuck, stuck
        lines = [worker.line for worker in workers]
        troubled = [line for line in lines if line.state in {"backing_off", "banned"}]
        if troubled:
            state = "banned" if any(line.state == "banned" for line in troubled) else "backing_off"
            waiting = ", ".join(
                f"{line.exchange} until {_time_of_day(line.state_until)}" for line in troubled
            )
            return state, waiting, ""
        if late:
            return "late", "; ".join(one.why for one in late), ""
        state = "starting" if any(line.state == "starting" for line in lines) else "ok"
        return state, f"{len(self._needs or {})} partitions{self._upkeep.note()}", ""

    def _job_failed(self, event: Any) -> None:
        self._job_failure = event.exception

    async def _end(self, state: str, detail: str = "") -> None:
        """Ends what is under way; a begun transaction is ended by the database thread."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        closing = (worker.close() for worker in self._workers.values())
        await asyncio.gather(*closing, return_exceptions=True)
        with contextlib.suppress(CandlewellError):  # a file that failed cannot be told why
            problem = detail if state == "failed" else ""
            beat = self._heartbeat.beat
            await self._shared.thread.attempt(beat, state, detail, problem=problem)
        self._watch.close()


def _time_of_day(wall_time: int) -> str:
    return datetime.fromtimestamp(wall_time / 1000, UTC).strftime("%H:%M:%S UTC")
