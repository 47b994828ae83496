"""How a strategy was configured when: each row is replayed with the configuration that it was written under.

`strategy_metadata` keeps the latest alone; what it replaced is among the events, see `common.registry`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from common.registry import Registry
from trader.backtest.setup import made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.database import Database
    from trader.backtest.setup import Setup

_KEY = "STRATEGY_ID"


class Configurations:
    """The configurations of one strategy, oldest first, and by this machine's clock when each but the last ended."""

    def __init__(self, setups: Sequence[Setup], ends: Sequence[int]) -> None:
        self.setups = setups
        self.ends = ends

    @classmethod
    def of(cls, database: Database, strategy_id: str, first: int) -> Configurations:
        """Those of a registered strategy under which it has written; by this machine's clock it first did at `first`.

        Raises:
            ConfigurationError: it is not registered, or cannot be made again as it was.
        """
        latest = Registry(database).registered(strategy_id, key=_KEY)
        earlier = [one for one in Registry(database).earlier(latest) if one[0] > first]
        known = [*(registration for _, registration in earlier), latest]
        setups = [made(registration, key=_KEY) for registration in known]
        return cls(setups, [ended for ended, _ in earlier])

    @property
    def latest(self) -> Setup:
        """What holds now."""
        return self.setups[-1]

    def place(self, created_at: int) -> int:
        """Which of them a row was written under."""
        return bisect_right(self.ends, created_at)

    def at(self, created_at: int) -> Setup:
        """The one that a row was written under."""
        return self.setups[self.place(created_at)]
