"""The parts that a mode is composed of: where candles come from, where orders go, where both are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trader.core.order import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from common.candle import Ticker
    from common.clock import MarketClock
    from common.controls import Control
    from trader.core.books import Books, Settlement
    from trader.core.order import Order
    from trader.core.rules import MarketRules
    from trader.core.signal import Signal
    from trader.core.trade import Trade

Row = tuple[int, float, float, float, float, float]
"""A stored candle, checked when it was stored: the fields of `common.candle.Candle`."""


class Feed(Protocol):
    """One partition's market data, and what holds for its strategy now."""

    def newest_candle(self) -> int | None:
        """The open time of the newest closed candle."""

    def candles(self, *, limit: int, until: int) -> list[Row]:
        """The newest `limit` closed candles that opened no later than `until`, oldest first."""

    def opened_since(self, start: int, end: int) -> list[int]:
        """The open times of the closed candles from `start` to `end`, both included, in order."""

    def count(self, *, limit: int) -> int:
        """How many closed candles there are, counted up to `limit`."""

    def newest_ticker(self) -> Ticker | None:
        """The newest prices."""

    def clock(self) -> MarketClock | None:
        """The exchange's clock; None while it is not known."""

    def market_rules(self) -> MarketRules | None:
        """The market's rules; None while they are not known.

        Raises:
            ConfigurationError: the exchange has no such symbol or timeframe.
        """

    def control(self) -> Control:
        """What the strategy may do now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of an order: its trade, or why it came to nothing."""

    status: OrderStatus
    trade: Trade | None = None
    reason: str = ""

    @classmethod
    def filled(cls, trade: Trade) -> Outcome:
        """The whole order was executed."""
        return cls(OrderStatus.FILLED, trade)

    @classmethod
    def rejected(cls, reason: str) -> Outcome:
        """Nothing was executed, and nothing will be."""
        return cls(OrderStatus.REJECTED, reason=reason)


class Broker(Protocol):
    """Where orders go."""

    def advance(self, order: Order, cash: Decimal) -> Outcome | None:
        """Takes a written-down order one step on: sends it, or asks for it. None: nothing new.

        Called again and again, by this process or the next one, until there is an outcome: it must never
        execute the same order twice.
        """


class Journal(Protocol):
    """Where one strategy's decisions and books are written. Each method is one transaction."""

    def books(self) -> Books:
        """The books as written."""

    def last_signal(self) -> int | None:
        """The open time of the last candle that has its signal."""

    def record_signals(
        self, signals: Sequence[tuple[Signal, str]], order: Order | None = None
    ) -> None:
        """Signals, each with the decision about it, and the order that was decided on with them."""

    def record_order(self, order: Order) -> None:
        """An order that no signal asked for."""

    def record_fill(self, order: Order, trade: Trade, settlement: Settlement) -> None:
        """A trade that fills the order, and the position after it."""

    def record_failure(self, order: Order, outcome: Outcome) -> None:
        """The end of an order that came to nothing."""
