"""Makes a backup each day and tries it, for where there is no cron: `candlewell backup --daily 03:00`.

Its health is what it achieved: the heartbeat file is touched when a backup was made and could be restored, and not before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from candlewell.backup.catalogue import backups_in
from candlewell.backup.round import Plan, back_up, try_newest
from common.errors import CandlewellError
from common.log import set_up

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAY_S = 86_400.0
_LATE_S = 12 * 3600  # a machine that slept through it makes it when it wakes


def run(plan: Plan, at: tuple[int, int], environment: Mapping[str, str] = os.environ) -> None:
    """Runs until it is stopped. At its start it makes a backup if there is none of the last day, and tries the newest.

    Args:
        plan: what to do.
        at: hour and minute of the day, UTC.
        environment: the settings of the log, and HEARTBEAT_FILE.

    Raises:
        ConfigurationError: a setting of the log is wrong.
    """
    from apscheduler.schedulers.blocking import BlockingScheduler  # noqa: PLC0415 - only this needs it
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415

    set_up(environment)
    found = backups_in(plan.folder, plan.database.stem)
    _work(plan, environment, make=not found or found[-1].age_s > _DAY_S)
    scheduler = BlockingScheduler(timezone="UTC")
    trigger = CronTrigger(hour=at[0], minute=at[1], timezone="UTC")
    scheduler.add_job(
        _work,
        trigger,
        (plan, environment),
        misfire_grace_time=_LATE_S,
        coalesce=True,
        max_instances=1,
    )
    scheduler.start()


def _work(plan: Plan, environment: Mapping[str, str], *, make: bool = True) -> None:
    """One day's work. What does not go well is logged, and is tried again the next day."""
    log = structlog.get_logger()
    try:
        if make:
            log.info("backup_made", message=back_up(plan))
        log.info("restore_drill", message=str(try_newest(plan, _DAY_S)))
    except (CandlewellError, OSError) as error:
        log.error("backup_failed", message=str(error))  # noqa: TRY400 - the message says it all
        return
    if file := environment.get("HEARTBEAT_FILE"):
        Path(file).touch()
