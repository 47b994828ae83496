"""A market for the tests: writes candles, tickers, markets and a clock as the backfiller would."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import schema
from common.candle import Candle, Ticker
from common.clock import MarketClock, wall_now
from common.database import Durability
from common.exchange_status import Exchanges, Market
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BTC_1H = Partition("binance", "BTC/USDT", Timeframe.H1)
NOON = 1_767_268_800_000  # 2026-01-01T12:00Z
RULES = Market(
    "BTC/USDT",
    amount_step=Decimal("0.00001"),
    min_amount=Decimal("0.00001"),
    min_cost=Decimal(5),
)


def new_database(folder: Path) -> str:
    """The URL of a new, empty database."""
    url = f"sqlite:///{folder / 'trading.db'}"
    schema.upgrade(url)
    return url


def candle(timestamp: int, close: float) -> Candle:
    return Candle(timestamp, close, close * 1.001, close * 0.999, close, 1.0)


def closes(count: int, *, seed: int = 1) -> list[float]:
    """A price that wanders between about 80 and 120."""
    chance = random.Random(seed)
    prices, drift = [], 0.0
    for number in range(count):
        drift = 0.9 * drift + chance.gauss(0, 0.6)
        prices.append(round(100 + 15 * math.sin(number / 20) + drift, 2))
    return prices


class TestMarket:
    """One partition, whose newest candle closes when this machine's clock says now."""

    __test__ = False

    def __init__(self, url: str, partition: Partition = BTC_1H, *, start: int = NOON) -> None:
        self.partition = partition
        self.database = schema.open_database(url, durability=Durability.PROCESS_CRASH)
        self.next = start  # the open time of the candle that comes next
        self._data = MarketData(self.database)
        self._exchanges = Exchanges(self.database)

    @property
    def length(self) -> int:
        return self.partition.timeframe.milliseconds

    def open(
        self, markets: Sequence[Market] = (RULES,), timeframes: Sequence[str] = ("1h", "15m")
    ) -> None:
        """Lets the exchange's markets and clock be known."""
        self._exchanges.record_markets(self.partition.exchange, timeframes, markets)
        self.set_clock(self.next)

    def set_clock(self, now: int, *, speed: float = 1.0) -> None:
        """Lets the exchange's clock say `now`."""
        clock = MarketClock(now, wall_now(), speed)
        self._exchanges.record_clock(self.partition.exchange, clock)

    def now(self) -> int:
        clock = self._exchanges.clock(self.partition.exchange)
        assert clock is not None
        return clock.now()

    def add(self, *prices: float, high: float = 0.0) -> int:
        """Closes one candle after the other; the clock stands at the end of the last. Its open time.

        The last one reached `high`, if that is told.
        """
        candles = [candle(self.next + at * self.length, price) for at, price in enumerate(prices)]
        candles[-1] = replace(candles[-1], high=high or candles[-1].high)
        self.next += len(prices) * self.length
        self.set_clock(self.next)
        self._data.store_candles(self.partition, candles)
        return candles[-1].timestamp

    def skip(self, count: int = 1) -> None:
        """Lets candles pass that nobody stored."""
        self.next += count * self.length

    def tick(self, last: float, *, spread: float = 0.0, at: int | None = None) -> Ticker:
        """Prices of the moment."""
        timestamp = self.now() if at is None else at
        ticker = Ticker(timestamp, last - spread / 2, last + spread / 2, last)
        self._data.store_tickers(
            self.partition.exchange, {self.partition.symbol: ticker}, keep_since=0
        )
        return ticker

    def close(self) -> None:
        self.database.close()
