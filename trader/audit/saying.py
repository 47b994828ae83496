"""What a strategy says of candles: of a whole run in one piece, or of one candle on exactly its window.

A trader evaluates each candle on its last `warmup` candles. In one piece that is a thousand times faster, and the
same but for what little a strategy remembers of older ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trader.evaluation import Evaluation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from trader.backtest.candles import Candles
    from trader.core.signal import Signal
    from trader.roles import Row
    from trader.strategies.strategy import Strategy

_PRICES = ("open", "high", "low", "close", "volume")
_AT_ONCE = 500  # candles: more in one frame are no faster


class InOnePiece:
    """What a strategy says at each of these candles, in columns; `is_whole` where it has its whole window."""

    def __init__(self, strategy: Strategy, candles: Candles) -> None:
        count = len(candles)
        self.is_whole = np.zeros(count, dtype=bool)
        self.signal = np.full(count, "hold", dtype=object)
        self.reason = np.full(count, "", dtype=object)
        self.indicators: dict[str, NDArray[np.float64]] = {}
        for run in candles.runs() if count else ():
            counted = slice(run.start + strategy.warmup - 1, run.stop)
            if counted.start < counted.stop:
                self._take(_said(strategy, candles, run).iloc[strategy.warmup - 1 :], counted)

    def _take(self, said: pd.DataFrame, counted: slice) -> None:
        self.is_whole[counted] = True
        self.signal[counted] = said["signal"].to_numpy(dtype=object)
        self.reason[counted] = said["reason"].to_numpy(dtype=object)
        for name in said.columns.difference(["signal", "reason"]):
            values = said[name].to_numpy(dtype=np.float64)
            column = self.indicators.setdefault(str(name), np.full(len(self.signal), np.nan))
            column[counted] = np.where(np.isfinite(values), values, np.nan)


def _said(strategy: Strategy, candles: Candles, run: slice) -> pd.DataFrame:
    index = pd.Index(candles.timestamp[run], name="timestamp")
    return strategy.evaluate(
        pd.DataFrame({name: getattr(candles, name)[run] for name in _PRICES}, index=index)
    )


class OnItsWindow:
    """What a strategy says at one candle, as the trader evaluates it."""

    def __init__(self, strategy: Strategy, candles: Candles) -> None:
        self._evaluation = Evaluation(strategy, candles.timeframe)
        self._candles = candles

    def signals(self, places: Sequence[int]) -> Iterator[tuple[int, Signal]]:
        """The signals at these places, which are in order."""
        for first, last in _blocks(places):
            rows = self._rows(first, last)
            said = self._evaluation.signals(rows, last - first + 1)
            yield from zip(range(first, last + 1), said, strict=True)

    def signal_if(self, place: int, other: Mapping[int, Row]) -> Signal:
        """The signal at a place if candles had had these other values; they are given by open time."""
        rows = [other.get(row[0], row) for row in self._rows(place, place)]
        return self._evaluation.signals(rows, 1)[0]

    def window(self, place: int) -> tuple[int, int]:
        """The open times of the first and the last candle that should be in the window of a place."""
        last = int(self._candles.timestamp[place])
        length = self._candles.timeframe.milliseconds
        return last - (self._evaluation.warmup - 1) * length, last

    def _rows(self, first: int, last: int) -> list[Row]:
        """The candles from the first one's window on."""
        some = slice(max(0, first - self._evaluation.warmup + 1), last + 1)
        columns = (getattr(self._candles, name)[some].tolist() for name in ("timestamp", *_PRICES))
        return list(zip(*columns, strict=True))


def _blocks(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Places that follow each other, as (first, last)."""
    first = last = None
    for place in places:
        if first is None or last is None:
            first = place
        elif place != last + 1 or place - first >= _AT_ONCE:
            yield first, last
            first = place
        last = place
    if first is not None and last is not None:
        yield first, last
