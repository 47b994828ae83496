"""A difference between what was written and what the replay says, and the causes that are known."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Kind(Enum):
    """What was compared."""

    SIGNAL = "signals"
    DECISION = "decisions"
    ORDER = "orders"
    TRADE = "trades"
    POSITION = "positions"
    EQUITY = "equity"


class Cause(Enum):
    """Why a replay may say something else without a fault of anybody's; docs/AUDIT.md tells how each is known."""

    REVISED = "candle revised since"
    FILLED_IN = "candle filled in later"
    NOT_STORED = "candles of the window are not stored any more"
    HALTED = "halted"
    REDUCED = "reduce-only"
    STALE = "stale data"
    AWAY = "the trader was away"
    CAP = "cap of the fleet"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; without a cause it is a fault of somebody's.

    `timestamp` is the candle's open time, or where there is no candle the time of what was written. `detail` says more
    of the cause. `count` is at how many candles in a row the same was found.
    """

    kind: Kind
    timestamp: int
    what: str
    written: str
    replayed: str
    cause: Cause | None = None
    detail: str = ""
    count: int = 1


NOTHING = "nothing"


def words(value: object) -> str:
    """A value for people: decimals without exponents."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
