"""Which backups stay: the newest few, and the last one of each of so many days, weeks and months (UTC).

Of every period that is kept, its newest backup is. A day's last backup is also the one that its week ends
with, or one of that week is newer; so what a week or a month will need is never removed before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Scheme:
    """How many stay. Periods without a backup do not count."""

    last: int = 3  # whatever their day, so that two of one afternoon both stay
    daily: int = 7
    weekly: int = 5
    monthly: int = 12

    def __post_init__(self) -> None:
        for name in ("last", "daily", "weekly", "monthly"):
            if getattr(self, name) < 0:
                raise ConfigurationError(
                    f"keep {name}: expected 0 or more, found {getattr(self, name)}"
                )

    def kept(self, made: Collection[datetime]) -> set[datetime]:
        """Those of these times (UTC) whose backups stay; the newest always does."""
        newest_first = sorted(made, reverse=True)
        kept = set(newest_first[: max(self.last, 1)])
        for count, period in ((self.daily, _day), (self.weekly, _week), (self.monthly, _month)):
            kept.update(_newest_of_each(newest_first, period)[:count])
        return kept


def _newest_of_each(
    newest_first: list[datetime], period: Callable[[datetime], Hashable]
) -> list[datetime]:
    found: dict[Hashable, datetime] = {}
    for time in newest_first:
        found.setdefault(period(time), time)
    return list(found.values())


def _day(time: datetime) -> Hashable:
    return time.date()


def _week(time: datetime) -> Hashable:
    return time.isocalendar()[:2]


def _month(time: datetime) -> Hashable:
    return time.year, time.month
