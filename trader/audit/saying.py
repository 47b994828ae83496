"""What a strategy says of candles: of a whole run in one piece, or of one candle on exactly its window.

A trader evaluates each candle on its last `warmup` candles. In one piece that is a thousand times faster, and the
same but for what little a strategy remembers of older ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trader.backtest.signals import signals_of
from trader.core.signal import SignalKind
from trader.evaluation import Evaluation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trader.backtest.candles import Candles
    from trader.core.signal import Signal
    from trader.roles import Row
    from trader.strategies.strategy import Strategy

_PRICES = ("open", "high", "low", "close", "volume")
_AT_ONCE = 500  # candles: more in one frame are no faster


class InOnePiece:
    """What a strategy says at each of these candles, in columns; `is_whole` where it has its whole window."""

    def __init__(self, strategy: Strategy, candles: Candles) -> None:
        said = signals_of(strategy, candles, keep_indicators=True)
        self.is_whole = said.reason > 0  # the first of the reasons is that it was not asked
        self.signal = np.array([kind.value for kind in SignalKind], dtype=object)[said.kinds]
        self.reason = np.array(said.reasons, dtype=object)[said.reason]
        self.indicators = {
            name: np.where(np.isfinite(values), values, np.nan)
            for name, values in said.indicators.items()
        }


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
