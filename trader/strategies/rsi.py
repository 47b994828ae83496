"""RSI: buy what is oversold, sell what is overbought; if wished, buy only what is above its trend.

The relative strength index is Wilder's (J. Welles Wilder, New Concepts in Technical Trading Systems, 1978),
as computed by the library `ta`. Wilder's smoothing never forgets its first value; after 20 periods what is
left of it is below 1e-7, so that is the warm-up.

The trend is a simple moving average of the close, of `ta` too. It is made of its last `trend_period` closes and
nothing older, so that many candles warm it up exactly; an exponential one would, like Wilder's, need a multiple.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, ValidationInfo, field_validator
from ta.momentum import RSIIndicator
from ta.trend import SMAIndicator

from trader.strategies.strategy import Parameters

_PERIODS_TO_FORGET = 20
# A moving average is summed on from candle to candle, so its last digits depend on where it began. A close may
# well be equal to its trend; these digits must not decide on which side it is.
_ROUNDING = 1e-9


class RsiParameters(Parameters):
    """The levels are RSI values, between 0 and 100; the period is in candles.

    `trigger`: "level" signals at every candle beyond a level, "crossing" only where the RSI comes back
    through it: up through oversold, down through overbought. `trend_period`: None, or over how many candles
    the trend is that a close has to be above for a buy; what is said of selling stays as it is.
    """

    period: int = Field(default=14, ge=2, le=1000)
    oversold: float = Field(default=30.0, gt=0, lt=100)
    overbought: float = Field(default=70.0, gt=0, lt=100, validate_default=True)
    trigger: Literal["level", "crossing"] = "level"
    trend_period: int | None = Field(default=None, ge=2, le=20_000)

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
        crossing = parameters.trigger == "crossing"  # that needs the RSI of the candle before too
        self.warmup = max(self._memory + crossing, parameters.trend_period or 0)
        self.levels = {"rsi": (parameters.oversold, parameters.overbought)}
        self.on_price = frozenset({"trend"})

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        """See `strategy.Strategy`. The indicators are `rsi` and, if it is on, `trend`.

        `rsi` has no value in a market that stands still.
        """
        close = candles["close"]
        indicators = {"rsi": self._rsi(close)}
        rsi = indicators["rsi"]
        buy, sell = (
            self._crossings(rsi) if self._parameters.trigger == "crossing" else self._levels(rsi)
        )
        against = np.zeros(len(close), dtype=bool)
        if self._parameters.trend_period is not None:
            trend = SMAIndicator(close, window=self._parameters.trend_period).sma_indicator()
            against = buy & ~(close > trend * (1 + _ROUNDING)).to_numpy()
            indicators["trend"] = trend
        code = np.select(
            [against, buy, sell, rsi.isna().to_numpy()], [_AGAINST, _BUY, _SELL, _FLAT], _HOLD
        )
        code[: self.warmup - 1] = _WARMING_UP
        for indicator in indicators.values():
            indicator.iloc[: self.warmup - 1] = np.nan
        said = {
            "signal": pd.Categorical.from_codes(_SIGNAL_OF[code], _SIGNALS),
            "reason": pd.Categorical.from_codes(code, self._reasons()),
        }
        return pd.DataFrame(said | indicators, index=candles.index)

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
            buy, sell = f"rsi rose through {low}", f"rsi fell through {high}"
            neither = "rsi crossed no level"
        else:
            buy, sell = f"rsi is below {low}", f"rsi is above {high}"
            neither = f"rsi is from {low} to {high}"
        flat = f"flat market: {self._memory} equal closes"
        trend = f"its trend of {self._parameters.trend_period} candles"
        against = f"{buy}, but the close is not above {trend}"
        if self._parameters.trend_period is not None:
            buy = f"{buy}, and the close is above {trend}"
        return pd.Index([buy, sell, neither, flat, "warming up", against])


_BUY, _SELL, _HOLD, _FLAT, _WARMING_UP, _AGAINST = range(6)
_SIGNALS = pd.Index(["buy", "sell", "hold"])
_SIGNAL_OF = np.array([0, 1, 2, 2, 2, 2], dtype=np.int8)  # buy, sell and four ways to hold
