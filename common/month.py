"""Calendar months, UTC: what the archive is cut into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One month of one year."""

    year: int
    month: int

    @classmethod
    def of(cls, timestamp: int) -> Month:
        """The month that a time in milliseconds UTC falls into."""
        moment = datetime.fromtimestamp(timestamp // 1000, UTC)
        return cls(moment.year, moment.month)

    @classmethod
    def parse(cls, name: str) -> Month | None:
        """The month of a name such as 2025-01; None if it is no such name."""
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), int(match[2])) if match else None

    @property
    def start(self) -> int:
        """Its first millisecond."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * 1000

    @property
    def last(self) -> int:
        """Its last millisecond."""
        return self.next().start - 1

    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"
