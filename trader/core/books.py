"""A strategy's books as a decision sees them: cash, the open position, the order that is on its way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trader.core.getting_on import told, traded
from trader.core.money import exactly, from_price, plain
from trader.core.order import Order, OrderStatus, Side
from trader.core.position import Position

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.outcome import Outcome
    from trader.core.rules import MarketRules
    from trader.core.trade import Trade


@dataclass(frozen=True, slots=True)
class Closed:
    """The round trip that ended last: when, by the exchange's clock, and what it made, in quote currency."""

    at: int
    profit: Decimal


@dataclass(frozen=True, slots=True)
class Books:
    """Cash is in quote currency.

    `exiting` is the open position's last exit if that was not filled whole, so that it is to be tried again;
    `failed_exits` counts such exits.
    """

    cash: Decimal
    position: Position | None = None
    pending: Order | None = None
    failed_exits: int = 0
    exiting: Order | None = None
    last_closed: Closed | None = None

    def equity(self, price: float) -> Decimal:
        """Cash and what the position is worth at that price, in quote currency."""
        if self.position is None:
            return self.cash
        with exactly():
            return plain(self.cash + self.position.amount * from_price(price))

    def ordered(self, order: Order) -> Books:
        """The books with an order on its way.

        Raises:
            ValueError: there is one already.
        """
        if self.pending is not None:
            raise ValueError(f"books: expected no pending order, found {self.pending}")
        return replace(self, pending=order)

    def settled(self, outcome: Outcome, *, market: MarketRules, now: int) -> Settlement:
        """What news of the pending order makes of the books.

        Args:
            outcome: the news.
            market: the rules that tell dust from what can be sold.
            now: the exchange's time, for what has none of its own.
        """
        assert self.pending is not None
        books, order, position = self, told(self.pending, outcome), None
        booked = []
        for trade in outcome.trades:
            order = traded(order, trade)
            books, position, profit = books._after(trade, order.reason)
            booked.append((trade, profit))
        if not outcome.status.is_end:
            return Settlement(replace(books, pending=order), tuple(booked), position)
        books = replace(books, pending=None)
        if order.side is Side.SELL and books.position is not None:
            if booked and market.is_dust(books.position.amount, outcome.trades[-1].price):
                written_off = books.written_off(now, order.reason)
                return replace(written_off, booked=tuple(booked))
            if outcome.status is not OrderStatus.FILLED:
                failed = books.failed_exits + 1
                books = replace(books, failed_exits=failed, exiting=order)
        return Settlement(books, tuple(booked), position)

    def written_off(self, now: int, reason: str) -> Settlement:
        """What closing the position as dust makes of the books."""
        assert self.position is not None
        position = self.position.written_off(now, reason)
        return Settlement(self._without(position), (), position)

    def _after(self, trade: Trade, reason: str) -> tuple[Books, Position, Decimal]:
        """The books after one trade, the position it opened, changed or closed, and what it realised."""
        before = self.position or Position(trade.symbol, opened_at=trade.timestamp)
        position = before.after(trade, reason)
        with exactly():
            cash = plain(self.cash + trade.quote_change)
            profit = plain(position.realised_profit - before.realised_profit)
        books = replace(self, cash=cash, position=position)
        return books if position.closed_at is None else books._without(position), position, profit

    def _without(self, position: Position) -> Books:
        """The books once that position, which was theirs, has closed."""
        assert position.closed_at is not None
        closed = Closed(position.closed_at, position.realised_profit)
        return replace(self, position=None, failed_exits=0, exiting=None, last_closed=closed)


@dataclass(frozen=True, slots=True)
class Settlement:
    """The books after news of an order, its trades with what each realised, and the position if it changed."""

    books: Books
    booked: tuple[tuple[Trade, Decimal], ...]
    position: Position | None
