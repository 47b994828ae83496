"""What a month of live traders rehearses: who trades what, how fast, in which weather, and the kills."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.timeframe import Timeframe

START = "2025-06-01T00:00:00+00:00"
DAY_MS = Timeframe.D1.milliseconds
# A quick RSI with levels near its middle says something every few candles. Kraken is asked once in a second by
# ccxt, and an order takes some four questions, so its trader has the longer candles.
_OFTEN = {"RSI_PERIOD": "3", "RSI_OVERSOLD": "45", "RSI_OVERBOUGHT": "55"}
_GUARDED = {"STOP_LOSS": "0.02", "TRAILING_STOP": "0.008"}
_COMMON = {
    **_OFTEN,
    **_GUARDED,
    "MODE": "live",
    "STARTING_BALANCE": "10000",
    "STAKE_AMOUNT": "1000",
    "ORDER_TIMEOUT_S": "3",
}


# What happens to accounts besides the weather, which strikes all requests alike: of those few are orders.
_ON_ACCOUNTS: tuple[dict[str, Any], ...] = (
    *({"kind": kind} for kind in ("lose_reply", "drop", "truncate", "cut", "html", "hang")),
    {"kind": "delay", "delay_s": 1.0},
    *({"kind": "status", "status": status} for status in (500, 503)),
    *(
        {"kind": "status", "status": status, "headers": {"Retry-After": "2"}}
        for status in (418, 429)
    ),
)
_QUESTIONS = [
    "cancel_order",
    "order",
    "openOrders",
    "allOrders",
    "closedOrders",
    "myTrades",
    "orderTrades",
    "account",
]
MANY = 1_000_000  # how often such a fault may strike: the rest tells how often it did


@dataclass(frozen=True, slots=True)
class Trading:
    """One trader: where and what it trades, and what it is configured with besides."""

    strategy_id: str
    exchange: str
    symbol: str
    timeframe: str
    own: tuple[tuple[str, str], ...] = ()

    @property
    def settings(self) -> dict[str, str]:
        """Its environment, but for where the exchange is and the keys."""
        return {
            **_COMMON,
            "EXCHANGE": self.exchange,
            "SYMBOL": self.symbol,
            "TIMEFRAME": self.timeframe,
            "LIVE_CONFIRM": self.strategy_id,
            **dict(self.own),
        }


TRADERS = (
    Trading("month-binance", "binance", "BTC/USDT", "5m"),
    Trading("month-coinbase", "coinbase", "ETH/USD", "15m", (("ORDER_TYPE", "limit"),)),
    Trading("month-kraken", "kraken", "BTC/USD", "15m"),
)


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that is killed: when at the earliest, by the market's time, and `after_s` seconds later.

    One that strikes amid an order waits for that: of the trader itself, or of any trader.
    """

    at: int
    victim: str
    amid_order: bool
    after_s: float


@dataclass(frozen=True, slots=True)
class LivePlan:
    """One run. Times are the market's, in milliseconds."""

    days: float
    seed: int
    speed: float
    rate: float  # the share of requests that suffer a fault of the weather
    kills: int

    @property
    def first(self) -> int:
        """When the market's time begins."""
        return int(datetime.fromisoformat(START).timestamp() * 1000)

    @property
    def end(self) -> int:
        """When the weather ends."""
        return self.first + int(self.days * DAY_MS)

    def moments(self) -> list[Kill]:
        """The kills in their order: by turns of traders, the exchange and the backfiller, each turn shuffled."""
        dice = random.Random(f"{self.seed}/kills")
        span = int(self.days * DAY_MS)
        times = sorted(self.first + int(dice.uniform(0.1, 0.95) * span) for _ in range(self.kills))
        victims: list[str] = []
        while len(victims) < self.kills:
            turn = [*(one.strategy_id for one in TRADERS), "practice", "backfiller"]
            victims += dice.sample(turn, len(turn))
        return [
            Kill(
                at, victim, dice.random() < 0.75, dice.choice((0.0, 0.03, 0.2, 1.0)) * dice.random()
            )
            for at, victim in zip(times, victims, strict=False)
        ]

    def faults(self, seed: int) -> list[dict[str, Any]]:
        """Those that wait for accounts: each kind strikes a third of `rate` of the orders, a tenth of the questions."""
        places = {"place_order": self.rate / 3} | dict.fromkeys(_QUESTIONS, self.rate / 10)
        return [
            {
                **fault,
                "endpoint": endpoint,
                "probability": share,
                "seed": seed + number,
                "count": MANY,
            }
            for endpoint, share in places.items()
            for number, fault in enumerate(_ON_ACCOUNTS)
        ]

    def configuration(self) -> str:
        """The backfiller's configuration file: what the traders need it finds out by itself.

        Tickers are kept for the audit: where they stay away for hours of the market, a stop acts on an old one.
        """
        return "request_timeout_s: 2.5\nclock_interval_s: 10\nticker_history: 90d\n"
