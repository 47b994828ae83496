"""A signal: what the strategy says at one closed candle."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SignalKind(Enum):
    """What a strategy can say."""

    BUY = "buy"
    SELL = "sell"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Signal:
    """What the strategy says at the candle that opened at `timestamp`, and why.

    `price` is that candle's close. An indicator that has no value there is None.
    """

    kind: SignalKind
    timestamp: int
    price: float
    reason: str
    indicators: Mapping[str, float | None] = field(default_factory=dict)
