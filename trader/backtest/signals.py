"""What a strategy says at every candle of a history, evaluated in one piece.

A trader evaluates the last `warmup` candles. A strategy is causal and forgets what is older than its warm-up,
so evaluating each run of candles without a hole says the same, thousands of times faster; where a trader
would not evaluate (too few candles, or one missing) the signal is hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from common.errors import ConfigurationError
from trader.core.signal import Signal, SignalKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trader.backtest.candles import Candles
    from trader.strategies.strategy import Strategy

_PRICES = ("open", "high", "low", "close", "volume")
_SIGNAL_KINDS = list(SignalKind)
_KINDS = [kind.value for kind in SignalKind]
_BUY, _SELL, _HOLD = (_KINDS.index(kind.value) for kind in SignalKind)


@dataclass(frozen=True, slots=True)
class Signals:
    """Of each candle the signal and the reason, as places in `_KINDS` and in `reasons`.

    The indicators, if they were kept, are NaN where the strategy was not evaluated.
    """

    kinds: NDArray[np.int8]
    reason: NDArray[np.int32]
    reasons: list[str]
    indicators: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def buys(self) -> list[int]:
        """The places of the candles with a buy signal, in order."""
        return np.flatnonzero(self.kinds == _BUY).tolist()

    @property
    def sells(self) -> list[int]:
        """The places of the candles with a sell signal, in order."""
        return np.flatnonzero(self.kinds == _SELL).tolist()

    def at(self, place: int, timestamp: int, price: float) -> Signal:
        """The signal at one candle."""
        kind = _SIGNAL_KINDS[self.kinds[place]]
        return Signal(kind, timestamp, price, self.reasons[self.reason[place]])


def signals_of(strategy: Strategy, candles: Candles, *, keep_indicators: bool = False) -> Signals:
    """The signals at all of these candles, and the indicators where they are wanted.

    Raises:
        ConfigurationError: the strategy's answer is not one signal with its reason for each candle.
    """
    kinds = np.full(len(candles), _HOLD, dtype=np.int8)
    reason = np.zeros(len(candles), dtype=np.int32)
    reasons = ["not evaluated: warming up, or a candle is missing"]
    indicators: dict[str, NDArray[np.float64]] = {}
    for run in candles.runs():
        counts_from = run.start + strategy.warmup - 1
        if counts_from >= run.stop:
            continue
        said = _said(strategy, candles, run)
        counted = slice(counts_from, run.stop)
        codes, words = _coded(said["reason"].iloc[strategy.warmup - 1 :])
        reason[counted] = codes + len(reasons)
        reasons += [str(word) for word in words]
        codes, words = _coded(said["signal"].iloc[strategy.warmup - 1 :])
        kinds[counted] = _as_kinds(strategy, codes, words)
        if keep_indicators:
            for name, column in said.drop(columns=["signal", "reason"]).items():
                whole = indicators.setdefault(str(name), np.full(len(candles), np.nan))
                whole[counted] = _numbers(strategy, column.iloc[strategy.warmup - 1 :])
    return Signals(kinds, reason, reasons, indicators)


def frame_of(candles: Candles, run: slice) -> pd.DataFrame:
    """A run of candles as a strategy is handed it."""
    index = pd.Index(candles.timestamp[run], name="timestamp")
    return pd.DataFrame({name: getattr(candles, name)[run] for name in _PRICES}, index=index)


def _said(strategy: Strategy, candles: Candles, run: slice) -> pd.DataFrame:
    frame = frame_of(candles, run)
    index = frame.index
    said = strategy.evaluate(frame)
    if not said.index.equals(index) or not {"signal", "reason"} <= set(said.columns):
        raise ConfigurationError(
            f"STRATEGY: expected {type(strategy).__name__}.evaluate to answer one row for each of its "
            f"{len(index)} candles, with a signal and a reason, found {len(said)} rows of {', '.join(map(str, said))}"
        )
    return said


def _numbers(strategy: Strategy, column: pd.Series[float]) -> NDArray[np.float64]:
    try:
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"STRATEGY: expected the indicator {column.name!r} of {type(strategy).__name__}.evaluate to be numbers, "
            f"found {error}"
        ) from None


def _coded(column: pd.Series[str]) -> tuple[NDArray[np.int32], list[object]]:
    """A column as places in a list of what is in it."""
    categories = column.astype("category").cat
    return categories.codes.to_numpy().astype(np.int32), categories.categories.tolist()


def _as_kinds(
    strategy: Strategy, codes: NDArray[np.int32], words: list[object]
) -> NDArray[np.int8]:
    unknown = [
        word
        for place, word in enumerate(words)
        if word not in _KINDS and bool((codes == place).any())
    ]
    if unknown or bool((codes < 0).any()):
        raise ConfigurationError(
            f"STRATEGY: expected {type(strategy).__name__}.evaluate to answer a `signal` that is one of "
            f"{', '.join(_KINDS)}, found {unknown[0] if unknown else None!r}"
        )
    places = [_KINDS.index(str(word)) if word in _KINDS else _HOLD for word in words]
    return np.array(places, dtype=np.int8)[codes]
