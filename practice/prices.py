"""A price path made up from a seed: deterministic, endless in both directions, with random access.

The logarithm of a price is a sum of octaves of noise whose lattice spacings reach from 15 seconds
to three months and whose sizes grow with the square root of the spacing, as those of a random walk
do. So it looks alike at every timeframe, yet never strays far from its base price. What an asset
is worth is shared by all exchanges; each market adds a wobble of its own of a few basis points.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import TYPE_CHECKING

import numpy as np

from practice.candles import Candles, join
from practice.noise import Floats, Integers, key_of, summed, uniform

if TYPE_CHECKING:
    from practice.markets import Market

STEP_MS = 15_000
_MINUTE_MS = 60_000
_STEPS = _MINUTE_MS // STEP_MS
_CHUNK = 4096  # minutes made and kept together
_KEPT_CHUNKS = 40  # of each market that is asked for: four months, 8 MB
_HOUR = 60  # minutes
_BLOCK = 1024  # hours made and kept together, for long candles
_KEPT_BLOCKS = 80  # of each market that is asked for long candles: nine years, 3 MB

_STEP_SIZE = 0.00013  # of the finest octave; an hourly close moves by 0.4% as a rule
# Swings of one hour to one day are stronger than a random walk's, and those of weeks weaker, so
# that the RSI of 15m and 1h candles goes below 30 and above 70 every few days.
_SWINGS = {8: 1.3, 9: 1.6, 10: 2.0, 11: 2.5, 12: 2.5, 13: 1.6, 16: 0.7, 17: 0.7, 18: 0.7, 19: 0.7}
_ASSET_OCTAVES = [(k, _STEP_SIZE * 2.0 ** (k / 2) * _SWINGS.get(k, 1.0)) for k in range(20)]
_MARKET_OCTAVES = [(0, 0.00002), (4, 0.0001), (8, 0.0002)]
_ACTIVITY_OCTAVES = [(6, 0.5), (10, 0.5), (13, 0.6)]


class GeneratedPath:
    """The path of one market at one exchange, in unit candles of one minute."""

    unit_ms = _MINUTE_MS

    def __init__(self, market: Market, exchange: str, seed: int) -> None:
        self._market = market
        self.first_ms = market.listed_ms
        self.price_decimals = market.price_decimals
        self.volume_decimals = market.amount_decimals
        self._base = [(key_of(seed, market.base, k), k, size) for k, size in _ASSET_OCTAVES]
        self._wobble = [
            (key_of(seed, exchange, market.symbol, k), k, size) for k, size in _MARKET_OCTAVES
        ]
        self._activity = [
            (key_of(seed, exchange, market.symbol, "activity", k), k, size)
            for k, size in _ACTIVITY_OCTAVES
        ]
        self._amounts = key_of(seed, exchange, market.symbol, "amounts")
        self._silence = key_of(seed, exchange, market.symbol, "silence")
        self._chunk = lru_cache(maxsize=_KEPT_CHUNKS)(self._generated)
        self._block = lru_cache(maxsize=_KEPT_BLOCKS)(self._hours)

    def units(self, first: int, end: int) -> Candles:
        """The minutes number `first` to `end` - 1 since 1970, closed."""
        chunks = range(first // _CHUNK, max(first // _CHUNK, (end - 1) // _CHUNK) + 1)
        minutes = join([_columns(*self._chunk(chunk)) for chunk in chunks])
        offset = chunks[0] * _CHUNK
        return minutes[first - offset : max(first, end) - offset]

    def groups(self, first: int, end: int, size: int) -> Candles:
        """The candles of `size` minutes number `first` to `end` - 1 since 1970, closed."""
        if size % _HOUR:
            return self.units(first * size, end * size).grouped(size)
        hours = size // _HOUR
        low, high = first * hours, max(first, end) * hours
        blocks = range(low // _BLOCK, max(low, high - 1) // _BLOCK + 1)
        offset = blocks[0] * _BLOCK
        return join([self._block(one) for one in blocks])[low - offset : high - offset].grouped(
            hours
        )

    def _hours(self, block: int) -> Candles:
        first = block * _BLOCK * _HOUR
        return self.units(first, first + _BLOCK * _HOUR).grouped(_HOUR)

    def knots(self, unit: int) -> Integers:
        """The prices at 0, 15, 30, 45 and 60 seconds of that minute."""
        knots, _ = self._chunk(unit // _CHUNK)
        row: Integers = knots[unit % _CHUNK]
        return row

    def _generated(self, chunk: int) -> tuple[Integers, Integers]:
        """The knots, shape (minutes, 5), and volumes of one chunk of minutes."""
        minutes = np.arange(chunk * _CHUNK, (chunk + 1) * _CHUNK, dtype=np.int64)
        octaves = self._base + self._wobble
        log_price = summed(octaves, int(minutes[0]) * _STEPS, _CHUNK * _STEPS + 1)
        ticks = self._market.base_price * np.exp(log_price) * 10.0**self.price_decimals
        prices = np.maximum(np.rint(ticks).astype(np.int64), 1)
        knots = np.lib.stride_tricks.sliding_window_view(prices, _STEPS + 1)[::_STEPS]
        return self._with_silence(minutes, knots, self._volumes(minutes, log_price))

    def _volumes(self, minutes: Integers, log_price: Floats) -> Integers:
        """More is traded in busy hours and when the price moves."""
        ends = log_price[::_STEPS]
        activity = summed(self._activity, int(minutes[0]), len(minutes))
        bustle = np.exp(activity) * (1.0 + 500.0 * np.abs(np.diff(ends)))
        spread = -np.log1p(-uniform(self._amounts, minutes))
        lots = self._market.minute_amount * bustle * spread * 10.0**self.volume_decimals
        return np.maximum(np.rint(lots).astype(np.int64), 1)

    def _with_silence(
        self, minutes: Integers, knots: Integers, volume: Integers
    ) -> tuple[Integers, Integers]:
        """Some minutes of a market that is not liquid pass without a trade, at the last price."""
        silent = uniform(self._silence, minutes) >= self._market.liquidity
        silent[0] = False  # so that the last price is always found in the same chunk
        if silent.any():
            last_trade = np.maximum.accumulate(np.where(silent, 0, np.arange(len(minutes))))
            knots = np.where(silent[:, None], knots[last_trade, -1:], knots)
            volume = np.where(silent, 0, volume)
        return knots, volume


def _columns(knots: Integers, volume: Integers) -> Candles:
    return Candles(
        knots[:, 0], reduce(np.maximum, knots.T), reduce(np.minimum, knots.T), knots[:, -1], volume
    )
