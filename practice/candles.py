"""Candles as columns, in whole ticks and lots, and the one way from short ones to long ones.

Prices are counted in the market's smallest price step and volumes in its smallest amount step.
Whole numbers make aggregation exact: a candle of any length is the same, to the last digit,
whichever shorter candles it is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from practice.noise import Integers


@dataclass(frozen=True, slots=True)
class Candles:
    """Consecutive candles, oldest first. Where the volume is zero nothing traded: the candle is flat."""

    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers

    def __len__(self) -> int:
        return len(self.volume)

    def __getitem__(self, rows: slice) -> Candles:
        return Candles(
            self.open[rows], self.high[rows], self.low[rows], self.close[rows], self.volume[rows]
        )

    def followed_by(self, later: Candles) -> Candles:
        """These candles and then the later ones."""
        return join([self, later])

    def grouped(self, size: int) -> Candles:
        """Candles `size` times as long, the last of which may still miss some of its parts.

        Parts in which nothing traded do not count: a long candle opens with its first trade.
        """
        if size == 1 or not len(self):
            return self
        parts = self._filled_up_to(-(-len(self) // size) * size)
        shape = (-1, size)
        volume = parts.volume.reshape(shape)
        traded = volume > 0
        some = traded.any(axis=1)
        first = traded.argmax(axis=1)
        high = np.where(traded, parts.high.reshape(shape), np.iinfo(np.int64).min).max(axis=1)
        low = np.where(traded, parts.low.reshape(shape), np.iinfo(np.int64).max).min(axis=1)
        flat = parts.close.reshape(shape)[:, -1]
        return Candles(
            np.where(some, parts.open.reshape(shape)[np.arange(len(first)), first], flat),
            np.where(some, high, flat),
            np.where(some, low, flat),
            flat,
            volume.sum(axis=1),
        )

    def _filled_up_to(self, length: int) -> Candles:
        missing = length - len(self)
        if not missing:
            return self
        return self.followed_by(flat_candles(int(self.close[-1]), missing))


def join(pieces: list[Candles]) -> Candles:
    """Those pieces, one after the other."""
    return Candles(
        np.concatenate([piece.open for piece in pieces]),
        np.concatenate([piece.high for piece in pieces]),
        np.concatenate([piece.low for piece in pieces]),
        np.concatenate([piece.close for piece in pieces]),
        np.concatenate([piece.volume for piece in pieces]),
    )


def flat_candles(price: int, count: int) -> Candles:
    """That many candles at one price in which nothing traded."""
    prices = np.full(count, price, dtype=np.int64)
    return Candles(prices, prices, prices, prices, np.zeros(count, dtype=np.int64))
