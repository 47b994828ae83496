"""Check of the backups: whether there is a young one, and whether it was found to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlewell.backup.standing import MAX_AGE_S, standing_of
from candlewell.doctor.finding import Seen, note, ok, problem, warning
from common.registry import Registry
from common.times import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from candlewell.doctor.setup import Setup

_HOUR_S = 3600.0
_MUCH_TOO_OLD_S = 7 * 24 * _HOUR_S
_ADVICE = "run scripts/backup.sh each night from cron, and look at what it says"


def backups(setup: Setup) -> Iterator[Seen]:
    """Whether the newest backup is of last night, and the last drill went well: by the database's own events.

    The backups themselves may lie where nobody here can see them.
    """
    standing = standing_of(setup.database)
    for failure in standing.failures:
        yield problem("backups and drills that go well", failure, _ADVICE)
    if standing.made_at is None:
        yield from _without(setup)
        return
    age_s = setup.now / 1000 - standing.made_at / 1000
    said = f"one of {utc(standing.made_at)} UTC"
    if age_s > MAX_AGE_S:
        yield _told(age_s)(f"a backup of the last {MAX_AGE_S / _HOUR_S:.0f} hours", said, _ADVICE)
    elif not standing.failures:
        yield ok(said)


def _without(setup: Setup) -> Iterator[Seen]:
    """A database of today needs none yet."""
    enrolled = Registry(setup.database).enrolled()
    since = min((own.registered_at for own in enrolled), default=setup.now)
    age_s = (setup.now - since) / 1000
    if age_s > MAX_AGE_S:
        yield _told(age_s)("a backup", "that none was ever made", _ADVICE)
        return
    hours = age_s / _HOUR_S
    yield note(f"no backup was ever made; the oldest strategy is {hours:.0f} hours old", _ADVICE)


def _told(age_s: float) -> Callable[..., Seen]:
    return problem if age_s > _MUCH_TOO_OLD_S else warning
