"""Check of the backups: whether there is a young one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from candlewell.doctor.finding import Seen, note, ok, problem, warning
from common.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlewell.doctor.setup import Setup

_HOUR_S = 3600.0
_OLD_S = 36 * _HOUR_S  # once a night, and some hours more
_MUCH_TOO_OLD_S = 7 * 24 * _HOUR_S
_ADVICE = "run scripts/backup.sh each night from cron, and look at what it says"
_UNFINISHED = ".part"


def backups(setup: Setup) -> Iterator[Seen]:
    """Whether the newest file in `backups` beside the database is of last night."""
    folder = setup.path.parent / "backups"
    stem = setup.path.stem
    made = [
        path
        for path in folder.rglob(f"{stem}-*")
        if path.is_file() and path.suffix != _UNFINISHED and path.stat().st_size
    ]
    if not made:
        yield from _without(setup, f"no backup in {folder}")
        return
    newest = max(made, key=lambda path: path.stat().st_mtime)
    age_s = setup.now / 1000 - newest.stat().st_mtime
    when = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    said = f"{newest.name}, of {when:%Y-%m-%d %H:%M} UTC"
    if age_s > _OLD_S:
        tell = problem if age_s > _MUCH_TOO_OLD_S else warning
        yield tell(f"a backup of the last {_OLD_S / _HOUR_S:.0f} hours", said, _ADVICE)
    else:
        yield ok(said)


def _without(setup: Setup, found: str) -> Iterator[Seen]:
    """A database of today needs none yet."""
    enrolled = Registry(setup.database).enrolled()
    since = min((own.registered_at for own in enrolled), default=setup.now)
    age_s = (setup.now - since) / 1000
    if age_s <= _OLD_S:
        yield note(f"{found}; the oldest strategy is {age_s / _HOUR_S:.0f} hours old", _ADVICE)
        return
    tell = problem if age_s > _MUCH_TOO_OLD_S else warning
    yield tell("a backup", found, _ADVICE)
