"""One round: a backup with what is removed by its scheme, or a drill; each is noted in the database as an event."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlewell.backup.drill import Drill, drill
from candlewell.backup.errors import BackupFailed, BadBackup
from candlewell.backup.making import Made, make_backup, prune
from candlewell.backup.noting import lost_months, note
from common.errors import CandlewellError, ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from candlewell.backup.scheme import Scheme


@dataclass(frozen=True, slots=True)
class Plan:
    """Which database, where its backups are, which of them stay, and the folder of the configuration, if any."""

    database: Path
    folder: Path
    scheme: Scheme
    config: Path | None


def back_up(plan: Plan) -> str:
    """Makes a backup and removes what the scheme does not keep; says what was done.

    Raises:
        ConfigurationError: there is no database, or the folder cannot be used.
        BackupFailed: no backup was made; or one was, and the message says what is wrong beside.
    """
    try:
        made = make_backup(plan.database, plan.folder, config=plan.config)
    except (BackupFailed, ConfigurationError, OSError) as error:
        with suppress(CandlewellError):  # what cannot be noted is said all the same
            note(plan.database, "error", "backup_failed", str(error))
        raise
    wrong = []
    removed = 0
    try:
        removed = len(prune(plan.folder, plan.database.stem, plan.scheme, made.backup))
    except (BackupFailed, OSError) as error:
        wrong.append(f"{error}")
    wrong += _noted(plan.database, made)
    if wrong:
        raise BackupFailed("\n".join([f"{made}; and something is wrong:", *wrong]))
    return f"{made}; removed {removed} older"


def try_newest(plan: Plan, max_age_s: float) -> Drill:
    """Tries the newest backup, and notes it in the database, if there is one.

    Raises:
        BadBackup: there is none, it is too old, or does not work.
        ConfigurationError: it is of a newer program, or a folder cannot be used.
        BackupFailed: it works, and could not be noted; or a backup was running.
    """
    try:
        done = drill(plan.folder, plan.database, max_age_s=max_age_s)
    except (BadBackup, ConfigurationError, OSError) as error:
        with suppress(CandlewellError):
            note(plan.database, "error", "restore_drill_failed", str(error))
        raise
    if plan.database.exists():
        try:
            note(
                plan.database,
                "info",
                "restore_drill",
                str(done),
                backup=done.backup.path.name,
                seconds=round(done.seconds, 1),
            )
        except CandlewellError as error:
            raise BackupFailed(f"{done}; and it could not be noted: {error}") from None
    return done


def _noted(database: Path, made: Made) -> list[str]:
    """Notes the backup; what is wrong with that, or with what it is of."""
    try:
        lost = lost_months(database)
        note(
            database,
            "info",
            "backup_made",
            str(made),
            backup=made.backup.path.name,
            bytes=made.manifest.database.size,
            seconds=round(made.seconds, 1),
        )
    except CandlewellError as error:
        return [f"it could not be noted in the database: {error}"]
    return [f"{path}: expected this archived month, found none" for path in lost]
