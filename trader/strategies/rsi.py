"""RSI: buy what is oversold, sell what is overbought.

The relative strength index is Wilder's (J. Welles Wilder, New Concepts in Technical Trading Systems, 1978),
as computed by the library `ta`. Wilder's smoothing never forgets its first value; after 20 periods what is
left of it is below 1e-7, so that is the warm-up.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, ValidationInfo, field_validator
from ta.momentum import RSIIndicator

from trader.strategies.strategy import Parameters

_PERIODS_TO_FORGET = 20


class RsiParameters(Parameters):
    """The levels are RSI values, between 0 and 100; the period is in candles.

    `trigger`: "level" signals at every candle beyond a level, "crossing" only where the RSI comes back
    through it: up through oversold, down through overbought.
    """

    period: int = Field(default=14, ge=2, le=1000)
    oversold: float = Field(default=30.0, gt=0, lt=100)
    overbought: float = Field(default=70.0, gt=0, lt=100, validate_default=True)
    trigger: Literal["level", "crossing"] = "level"

    @field_validator("overbought")
    @classmethod
    def _above_oversold(cls, overbought: float, info: ValidationInfo) -> float:
        oversold = info.data.get("oversold")
        if oversold is not None and overbought <= oversold:
            raise ValueError(f"a number above oversold (RSI_OVERSOLD), which is {oversold:g}")
        return overbought


class Rsi:
    """The strategy `rsi`."""

    Parameters = RsiParameters

    def __init__(self, parameters: RsiParameters) -> None:
        self._parameters = parameters
        self._memory = _PERIODS_TO_FORGET * parameters.period + 1
        self.warmup = self._memory + (parameters.trigger == "crossing")
        self.levels = {"rsi": (parameters.oversold, parameters.overbought)}

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        """See `strategy.Strategy`. The one indicator is `rsi`; it has no value in a market that stands still."""
        rsi = self._rsi(candles["close"])
        beyond = (
            self._crossings(rsi) if self._parameters.trigger == "crossing" else self._levels(rsi)
        )
        code = np.select([*beyond, rsi.isna().to_numpy()], [_BUY, _SELL, _FLAT], _HOLD)
        code[: self.warmup - 1] = _WARMING_UP
        rsi.iloc[: self.warmup - 1] = np.nan
        return pd.DataFrame(
            {
                "signal": pd.Categorical.from_codes(_SIGNAL_OF[code], _SIGNALS),
                "reason": pd.Categorical.from_codes(code, self._reasons()),
                "rsi": rsi,
            },
            index=candles.index,
        )

    def _rsi(self, close: pd.Series[float]) -> pd.Series[float]:
        """NaN where the last `memory` closes are one and the same: `ta` would answer 100 there.

        Only these closes are looked at, so a longer history gives the same answer.
        """
        rsi: pd.Series[float] = RSIIndicator(close, window=self._parameters.period).rsi()
        unchanged = close.diff().eq(0).to_numpy().cumsum()
        moves = self._memory - 1
        flat = np.zeros(len(close), dtype=bool)
        flat[moves:] = unchanged[moves:] - unchanged[:-moves] == moves
        return rsi.mask(flat)

    def _levels(self, rsi: pd.Series[float]) -> list[np.ndarray]:
        low, high = self._parameters.oversold, self._parameters.overbought
        return [(rsi < low).to_numpy(), (rsi > high).to_numpy()]

    def _crossings(self, rsi: pd.Series[float]) -> list[np.ndarray]:
        low, high, before = self._parameters.oversold, self._parameters.overbought, rsi.shift()
        return [
            ((before < low) & (rsi >= low)).to_numpy(),
            ((before > high) & (rsi <= high)).to_numpy(),
        ]

    def _reasons(self) -> pd.Index[str]:
        """The reasons, at the places of the codes below."""
        low, high = f"{self._parameters.oversold:g}", f"{self._parameters.overbought:g}"
        if self._parameters.trigger == "crossing":
            said = [f"rsi rose through {low}", f"rsi fell through {high}", "rsi crossed no level"]
        else:
            said = [f"rsi is below {low}", f"rsi is above {high}", f"rsi is from {low} to {high}"]
        return pd.Index([*said, f"flat market: {self._memory} equal closes", "warming up"])


_BUY, _SELL, _HOLD, _FLAT, _WARMING_UP = range(5)
_SIGNALS = pd.Index(["buy", "sell", "hold"])
_SIGNAL_OF = np.array([0, 1, 2, 2, 2], dtype=np.int8)  # buy, sell and three ways to hold
