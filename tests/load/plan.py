"""What a load run is made of: the partitions, the traders on them, how fast the market runs and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from common.partition import Partition
from common.timeframe import Timeframe

DAY_MS = Timeframe.D1.milliseconds
START = "2025-06-01T00:00:00+00:00"
# Three rows of ten that are alike: each has two of 5m, three or four of 15m and the rest of 1h, and all three exchanges. So ten
# traders do in small what thirty do. None of these markets ever passes a minute without a trade. Kraken is asked once in a
# second by ccxt, so its candles are the longer ones.
_ROWS = (
    "binance BTC/USDT 5m, coinbase BTC/USD 5m, binance BNB/USDT 15m, coinbase XRP/USD 15m, kraken BTC/USD 15m, "
    "kraken SOL/USD 1h, binance LTC/USDT 1h, coinbase BTC/USDC 1h, kraken XRP/USD 1h, kraken LTC/USD 1h",
    "binance ETH/USDT 5m, coinbase ETH/USD 5m, binance XRP/USDT 15m, coinbase LTC/USD 15m, binance ADA/USDT 15m, "
    "kraken ETH/USD 15m, binance BTC/USDC 1h, coinbase ETH/USDC 1h, kraken ADA/USD 1h, kraken DOGE/USD 1h",
    "binance SOL/USDT 5m, coinbase SOL/USD 5m, binance DOGE/USDT 15m, coinbase BTC/USDT 15m, coinbase ETH/USDT 15m, "
    "binance ETH/USDC 1h, coinbase BTC/USD 1h, kraken BTC/USDT 1h, kraken ETH/USDT 1h, kraken BTC/USDC 1h",
)
# A quick RSI with levels near its middle trades every few candles, and its stops are there to be looked at.
_RULES = {
    "RSI_PERIOD": "3",
    "RSI_OVERSOLD": "46",
    "RSI_OVERBOUGHT": "54",
    "STARTING_BALANCE": "10000",
    "STAKE_AMOUNT": "1000",
    "STOP_LOSS": "0.02",
    "TRAILING_STOP": "0.01",
}


def _partition(text: str) -> Partition:
    exchange, symbol, timeframe = text.split()
    return Partition(exchange, symbol, Timeframe.parse(timeframe))


PARTITIONS = tuple(_partition(text) for row in _ROWS for text in row.split(", "))


@dataclass(frozen=True, slots=True)
class Trading:
    """A trader on paper."""

    strategy_id: str
    partition: Partition

    @property
    def exchange(self) -> str:
        """Where its candles come from."""
        return self.partition.exchange

    @property
    def symbol(self) -> str:
        """What it trades."""
        return self.partition.symbol

    @property
    def timeframe(self) -> str:
        """How long its candles are."""
        return self.partition.timeframe.value

    @property
    def settings(self) -> dict[str, str]:
        """Its environment."""
        market = {"EXCHANGE": self.exchange, "SYMBOL": self.symbol, "TIMEFRAME": self.timeframe}
        return {"STRATEGY_ID": self.strategy_id, "LOG_FORMAT": "json", **market, **_RULES}


@dataclass(frozen=True, slots=True)
class Fleet:
    """A backfiller of that many partitions, and that many traders on them by turns.

    Tickers are kept for `ticker_days` of the market's time, and candles are fetched from `history_days` before the start on.
    """

    traders: int
    partitions: int = len(PARTITIONS)
    ticker_days: int = 1
    history_days: int = 7

    @property
    def kept(self) -> tuple[Partition, ...]:
        """What the backfiller keeps."""
        return PARTITIONS[: self.partitions]

    @property
    def trading(self) -> tuple[Trading, ...]:
        """The traders."""
        return tuple(
            Trading(f"load-{number}", self.kept[number % self.partitions])
            for number in range(self.traders)
        )

    def configuration(self) -> str:
        """The backfiller's configuration file."""
        lines = [f"history: {self.history_days}d\nticker_history: {self.ticker_days}d\npartitions:"]
        lines += [
            f"  - {{exchange: {one.exchange}, symbol: {one.symbol}, timeframe: {one.timeframe}}}"
            for one in self.kept
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One measurement: market days at a speed, in market seconds in a second."""

    fleet: Fleet
    days: float
    speed: float
    seed: int = 1
