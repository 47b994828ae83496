"""How long to leave an exchange alone after failures."""

from __future__ import annotations

import random
from dataclasses import dataclass

_FIRST_S, _MOST_S = 1.0, 300.0
_JITTER = (0.75, 1.25)  # so that daemons that failed together do not come back together


@dataclass(slots=True)
class Backoff:
    """Failures in a row, and until when to wait, on whatever clock the caller uses, in seconds."""

    failures: int = 0
    until: float = 0.0

    def fail(self, started: float, now: float, retry_after_s: float | None) -> bool:
        """Counts the failure of a call begun at `started`; whether it changes until when to wait.

        Calls that were under way together fail together: that is one failure. What the exchange asks
        for is a least wait.
        """
        wait = retry_after_s or 0.0
        if self.failures == 0 or started >= self.until:
            self.failures += 1
            grown = min(_FIRST_S * 2.0 ** min(self.failures - 1, 30), _MOST_S)
            wait = max(grown * random.uniform(*_JITTER), wait)  # noqa: S311
        later = now + wait > self.until
        self.until = max(self.until, now + wait)
        return later

    def succeed(self, started: float) -> bool:
        """Forgets the failures before a call begun at `started`; whether there were any."""
        had = self.failures > 0
        if started < self.until:
            return False  # it was under way when another one failed
        self.failures, self.until = 0, 0.0
        return had

    def wait_s(self, now: float) -> float:
        """How long to wait still, in seconds."""
        return max(self.until - now, 0.0)
