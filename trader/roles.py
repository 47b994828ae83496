"""The parts that a mode is composed of: where candles come from, where orders go, where both are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from common.errors import CandlewellError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from common.candle import Ticker
    from common.clock import MarketClock
    from common.controls import Control
    from trader.core.books import Books, Settlement
    from trader.core.equity import Marks, Reached
    from trader.core.order import Order
    from trader.core.outcome import Outcome
    from trader.core.position import Position
    from trader.core.rules import MarketRules
    from trader.core.signal import Signal

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

    def highest_between(self, since: int, until: int) -> float | None:
        """The highest price after `since`, up to `until`, of whole candles in there and of tickers; None: none."""

    def control(self, now: int) -> Control:
        """What the strategy may do at `now`, the exchange's time."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A candle that was decided on: its signal, what was made of it in words, and the equity at its close."""

    signal: Signal
    decision: str
    marks: Marks


class NotReconciledYetError(TransientError):
    """The broker cannot tell yet whether the books are right; the message says what it waits for."""


class UnexplainedError(CandlewellError):
    """The broker knows what the books cannot explain: the strategy halts, and a person looks at it."""


class Broker(Protocol):
    """Where orders go."""

    @property
    def waits_for(self) -> str:
        """What keeps an order from getting on, for the heartbeat; empty where nothing does."""

    def reconcile(self, books: Books) -> None:
        """Compares the books with what the broker knows, before the first decision after a start and after each halt.

        Raises:
            NotReconciledYetError: ask again, and take the pending order on meanwhile.
            UnexplainedError: they differ.
        """

    def advance(
        self, order: Order, cash: Decimal, *, why_not: Callable[[], str | None]
    ) -> Outcome | None:
        """Takes a written-down order one step on: sends it, or asks for it. None: nothing new.

        Called again and again, by this process or the next one, until there is an end: it must never execute
        the same order twice. An end is told only with all trades of the order.

        Args:
            order: the order as it is written.
            cash: what the books have, in quote currency.
            why_not: tells why an order that has not been sent may not be, None if it may; asked just before it is,
                since what was done before may have taken its time.

        Raises:
            UnexplainedError: the broker has lost it.
        """


class Journal(Protocol):
    """Where one strategy's decisions and books are written. Each method is one transaction."""

    def books(self) -> Books:
        """The books as written."""

    def marks(self) -> Marks:
        """The equity at the last candle that has its signal, and what its limits count from."""

    def last_signal(self) -> int | None:
        """The open time of the last candle that has its signal."""

    def record_signals(
        self,
        evaluated: Sequence[Evaluated],
        order: Order | None = None,
        *,
        reached: Reached | None = None,
        written_off: Position | None = None,
    ) -> str | None:
        """Candles with their signals, and what was decided at the last of them.

        Args:
            evaluated: at least one, oldest first.
            order: the order that was decided on.
            reached: the limit that ends entries from here on.
            written_off: the position that was closed as dust.

        Returns:
            Why the order was not taken after all: the fleet holds too much. Nothing of it is written then.
        """

    def record_order(self, order: Order) -> None:
        """An order that no signal asked for."""

    def record_outcome(self, order: Order, outcome: Outcome, settlement: Settlement) -> None:
        """News of an order, its new trades, and the position after them."""

    def record_write_off(self, position: Position) -> None:
        """A position that was closed as dust, which no signal asked for."""

    def record_halt(self, reason: str, now: int) -> None:
        """The strategy halts itself; `now` is the exchange's time."""

    def forget(self, before: int) -> int:
        """Drops what is older than `before` and of use to nobody; returns how many rows.

        That is: signals that were held at, and the equity but for the last of each day. Several transactions.
        """
