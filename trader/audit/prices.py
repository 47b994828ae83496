"""Which prices there can have been: by the candles around a moment, or by the tickers where they are still stored."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from common.candle import Ticker
    from common.market_data import MarketData
    from common.partition import Partition
    from trader.backtest.candles import Candles

_SPREAD = 0.005  # a bid or an ask lies beyond the prices that were traded, which are all that a candle knows


class Prices:
    """One partition's prices; the slippage is a ratio of them."""

    def __init__(
        self,
        candles: Candles,
        tickers: MarketData,
        partition: Partition,
        slippage: Decimal = Decimal(0),
    ) -> None:
        self._candles = candles
        self._tickers = tickers
        self._market = (partition.exchange, partition.symbol)
        self._length = partition.timeframe.milliseconds
        self._slack = _SPREAD + float(slippage)

    def range_at(self, timestamp: int) -> tuple[float, float] | None:
        """The lowest and the highest price around a moment, by the candle it is in and those beside that.

        None: that candle is not there.
        """
        opened = timestamp - timestamp % self._length
        first, last = np.searchsorted(
            self._candles.timestamp, [opened - self._length, opened + 2 * self._length]
        ).tolist()
        times = self._candles.timestamp[first:last]
        if opened not in times:
            return None
        low, high = self._candles.low[first:last].min(), self._candles.high[first:last].max()
        return float(low) * (1 - self._slack), float(high) * (1 + self._slack)

    def why_not(self, price: Decimal, timestamp: int, ticker: Ticker | None = None) -> str | None:
        """Why that cannot have been a price then; None if it can. A ticker of that moment is asked where there is one."""
        found = self.range_at(timestamp)
        if found is None or found[0] <= float(price) <= found[1]:
            return None
        if ticker is not None:
            told = [p for p in (ticker.bid, ticker.ask, ticker.last) if p is not None]
            if min(told) * (1 - self._slack) <= float(price) <= max(told) * (1 + self._slack):
                return None
        return f"from {found[0]:.10g} to {found[1]:.10g}"

    def ticker_at(self, timestamp: int) -> Ticker | None:
        """The ticker of just that moment, if it is still stored."""
        found = self._tickers.first_ticker(*self._market, since=timestamp)
        return found if found is not None and found.timestamp == timestamp else None

    def ticker_before(self, timestamp: int) -> Ticker | None:
        """The last ticker before a moment that is still stored."""
        return self._tickers.newest_ticker(*self._market, before=timestamp)

    def ticker_telling(self, price: Decimal, since: int, until: int) -> Ticker | None:
        """The last ticker between two moments that told that price, if it is still stored."""
        return self._tickers.ticker_telling(*self._market, float(price), since, until)

    def highest_known(self, since: int, candle: int) -> float | None:
        """The highest price of the candles that opened from `since` up to `candle`; None if there are none."""
        first = int(np.searchsorted(self._candles.timestamp, since))
        last = int(np.searchsorted(self._candles.timestamp, candle, side="right"))
        return float(self._candles.high[first:last].max()) if first < last else None

    def highest_possible(self, since: int, until: int) -> float | None:
        """The highest price that can have been seen between two moments; None where not all candles are there."""
        opened = since - since % self._length
        last = until - until % self._length
        first, end = np.searchsorted(self._candles.timestamp, [opened, last + 1]).tolist()
        highs = self._candles.high[first:end]
        if len(highs) != (last - opened) // self._length + 1:
            return None
        seen = self._tickers.highest_ticker(*self._market, since, until)
        return max(float(highs.max()) * (1 + self._slack), seen or 0.0)
