"""What a long run rehearses: the partitions, how fast, for how long, in which weather, and the kills."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from common.partition import Partition
from common.timeframe import Timeframe

START = "2025-06-01T00:00:00+00:00"
DAY_MS = Timeframe.D1.milliseconds
# In the order in which a run with fewer partitions takes them, by turns with the other exchanges. Of AMP/USD
# most minutes pass without a trade, and coinbase then has no candle; its 4h is built. Kraken tells the newest
# 720 candles only, and is asked once in 1.2 s: at an hour of the market a second, ten of its partitions are
# heard of twice in a market day, so the finest there is 15m.
_PARTITIONS = {
    "binance": (
        "BTC/USDT 1m, ETH/USDT 5m, BTC/USDT 1h, SOL/USDT 15m, ETH/USDT 1m, "
        "XRP/USDT 5m, BTC/USDT 15m, BNB/USDT 1h, LTC/USDT 15m, BTC/USDC 4h"
    ),
    "coinbase": (
        "BTC/USD 1m, AMP/USD 5m, ETH/USD 15m, ETH/USD 4h, BTC/USD 1h, "
        "AMP/USD 1m, SOL/USD 15m, XRP/USD 5m, AMP/USD 15m, LTC/USD 1h"
    ),
    "kraken": (
        "BTC/USD 15m, ETH/USD 1h, OXT/USD 15m, SOL/USD 1h, BTC/USD 1h, "
        "ETH/USD 15m, BTC/USD 4h, OXT/USD 1h, XRP/USD 15m, LTC/USD 4h"
    ),
}
EXCHANGES = tuple(_PARTITIONS)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. Times are the market's, in milliseconds."""

    days: float
    partitions: tuple[Partition, ...]
    seed: int
    speed: float
    rate: float  # the share of requests that suffer a fault
    kills: int
    kinds: tuple[str, ...] = ()  # of faults; all, if none is named

    @property
    def first(self) -> int:
        """When the market's time begins, and what is wanted of each partition."""
        return int(datetime.fromisoformat(START).timestamp() * 1000)

    @property
    def end(self) -> int:
        """When the weather ends."""
        return self.first + int(self.days * DAY_MS)

    def moments(self) -> list[int]:
        """When the backfiller is killed: in the first half, so that the last one is watched for long."""
        dice = random.Random(f"{self.seed}/kills")
        span = int(self.days * DAY_MS / 2)
        return sorted(self.first + int(dice.uniform(0.05, 1) * span) for _ in range(self.kills))

    def last(self, partition: Partition) -> int:
        """The last candle of a partition that closed before the weather ended."""
        return partition.timeframe.newest_closed(self.end)

    def configuration(self) -> str:
        """The backfiller's configuration file."""
        lines = [
            "request_timeout_s: 2.5",  # a hang of the usual 20 s would be most of a market day
            "clock_interval_s: 10",
            "partitions:",
        ]
        lines += [
            f"  - {{exchange: {one.exchange}, symbol: {one.symbol}, timeframe: {one.timeframe}, since: {START}}}"
            for one in self.partitions
        ]
        return "\n".join(lines) + "\n"


def partitions(count: int, exchanges: tuple[str, ...] = EXCHANGES) -> tuple[Partition, ...]:
    """That many partitions, one of each exchange by turns."""
    lists = [
        [
            Partition(exchange, *_symbol_and_timeframe(text))
            for text in _PARTITIONS[exchange].split(", ")
        ]
        for exchange in exchanges
    ]
    by_turns = [one for turn in zip(*lists, strict=True) for one in turn]
    if not 0 < count <= len(by_turns):
        raise ValueError(f"partitions: expected 1 to {len(by_turns)}, found {count}")
    return tuple(by_turns[:count])


def _symbol_and_timeframe(text: str) -> tuple[str, Timeframe]:
    symbol, timeframe = text.split()
    return symbol, Timeframe.parse(timeframe)
