"""Evaluates a strategy at closed candles, each on exactly its last `warmup` candles.

The window is the same whether one candle is new or a thousand, so a restart changes no signal. A window with
a missing candle is not evaluated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from common.errors import ConfigurationError
from common.times import utc
from trader.core.signal import Signal, SignalKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.timeframe import Timeframe
    from trader.roles import Row
    from trader.strategies.strategy import Strategy

_PRICES = ("open", "high", "low", "close", "volume")
_SIGNALS = [kind.value for kind in SignalKind]


class Evaluation:
    """One strategy on candles of one length."""

    def __init__(self, strategy: Strategy, timeframe: Timeframe) -> None:
        self._strategy = strategy
        self._timeframe = timeframe

    @property
    def warmup(self) -> int:
        """How many candles a signal needs."""
        return self._strategy.warmup

    def signals(self, candles: Sequence[Row], wanted: int) -> list[Signal]:
        """The signals at the last `wanted` candles.

        Args:
            candles: oldest first; before the wanted ones, `warmup - 1` more where there are as many.
            wanted: how many.
        """
        timestamps, *prices = zip(*candles, strict=True)
        frame = pd.DataFrame(
            dict(zip(_PRICES, prices, strict=True)), index=pd.Index(timestamps, name="timestamp")
        )
        return [
            self.signal_after(frame.iloc[max(0, at + 1 - self.warmup) : at + 1])
            for at in range(len(candles) - wanted, len(candles))
        ]

    def signal_after(self, window: pd.DataFrame) -> Signal:
        """The signal at the last candle of a window of the last `warmup`."""
        timestamp, price = int(window.index[-1]), float(window["close"].iloc[-1])
        if why := self._why_not(timestamp, window):
            return Signal(SignalKind.HOLD, timestamp, price, why)
        said = self._said(window)
        kind, reason = SignalKind(said.pop("signal")), str(said.pop("reason"))
        indicators = {str(name): _number(value) for name, value in said.items()}
        return Signal(kind, timestamp, price, reason, indicators)

    def _said(self, window: pd.DataFrame) -> dict[Any, Any]:
        """What the strategy says at the window's last candle.

        Raises:
            ConfigurationError: it does not say one thing for each candle, so that might be of another one.
        """
        rows = self._strategy.evaluate(window)
        if not rows.index.equals(window.index):
            raise ConfigurationError(
                f"STRATEGY: expected {type(self._strategy).__name__}.evaluate to answer one row for each of its "
                f"{len(window)} candles, found {len(rows)} rows or another index"
            )
        said = rows.iloc[-1].to_dict()
        if said.get("signal") not in _SIGNALS or "reason" not in said:
            raise ConfigurationError(
                f"STRATEGY: expected {type(self._strategy).__name__}.evaluate to answer a `signal` that is one of "
                f"{', '.join(_SIGNALS)}, and a `reason`, found {said!r}"
            )
        return said

    def _why_not(self, timestamp: int, window: pd.DataFrame) -> str | None:
        """Why a window is not evaluated: there is no candle where one should be."""
        length = self._timeframe.milliseconds
        first = timestamp - (self.warmup - 1) * length
        if window.index[0] == first and len(window) == self.warmup:
            return None
        if len(window) < self.warmup and window.index[0] == timestamp - (len(window) - 1) * length:
            return f"warming up: {len(window)} of {self.warmup} candles"
        missing = sorted(set(range(first, timestamp, length)).difference(window.index.tolist()))
        return (
            f"{len(missing)} of {self.warmup} candles missing, the first at {utc(missing[0])} UTC"
        )


def _number(value: Any) -> float | None:
    """An indicator's value; None where it has none."""
    number = float(value)
    return number if math.isfinite(number) else None
