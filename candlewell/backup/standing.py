"""When a backup was made last and when one was tried, as the events of the database tell; and what of it wants a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from candlewell.backup.noting import SOURCE
from common.events import Wanted, newest

if TYPE_CHECKING:
    from common.database import Database

MAX_AGE_S = 26 * 3600.0  # a daily backup, and two hours for it to be made
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Standing:
    """When the last backup was made and the last drill went well, by this machine's clock; None: never.

    `failures` are what went wrong since, in sentences.
    """

    made_at: int | None
    tried_at: int | None
    failures: tuple[str, ...] = ()

    def attention(self, now: int) -> list[str]:
        """A line for each thing that a person should look at; none where no backup was ever made."""
        lines = list(self.failures)
        if self.made_at is not None and now - self.made_at > MAX_AGE_S * 1000:
            hours = (now - self.made_at) / _HOUR_MS
            lines.append(f"backup: the newest is {hours:.0f} h old: are backups still being made?")
        return lines


def standing_of(database: Database) -> Standing:
    """Looks at the event log."""
    made, failed = _last(database, "backup_made"), _last(database, "backup_failed")
    tried, bad = _last(database, "restore_drill"), _last(database, "restore_drill_failed")
    failures = [
        f"{what}: {failure['message']}"
        for what, well, failure in (("backup failed", made, failed), ("drill failed", tried, bad))
        if failure is not None and (well is None or well["event_id"] < failure["event_id"])
    ]
    return Standing(
        None if made is None else made["timestamp"],
        None if tried is None else tried["timestamp"],
        tuple(failures),
    )


def _last(database: Database, kind: str) -> dict[str, Any] | None:
    return next(iter(newest(database, Wanted(source=SOURCE, kind=kind), 1)), None)
