"""A strategy's books as a decision sees them: cash, the open position, the order that is on its way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trader.core.money import exactly, plain
from trader.core.order import Order, Side
from trader.core.position import Position

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.trade import Trade


@dataclass(frozen=True, slots=True)
class Books:
    """Cash is in quote currency; `failed_exits` counts the open position's exits that were not filled."""

    cash: Decimal
    position: Position | None = None
    pending: Order | None = None
    failed_exits: int = 0

    def ordered(self, order: Order) -> Books:
        """The books with an order on its way.

        Raises:
            ValueError: there is one already.
        """
        if self.pending is not None:
            raise ValueError(f"books: expected no pending order, found {self.pending}")
        return Books(self.cash, self.position, order, self.failed_exits)

    def filled(self, trade: Trade, reason: str) -> Settlement:
        """What a trade that fills the pending order makes of the books; `reason` is the order's."""
        before = self.position or Position(trade.symbol, opened_at=trade.timestamp)
        position = before.after(trade, reason)
        with exactly():
            paid = trade.cost + trade.fee if trade.side is Side.BUY else trade.fee - trade.cost
            cash = plain(self.cash - paid)
            profit = plain(position.realised_profit - before.realised_profit)
        held = position if position.closed_at is None else None
        return Settlement(Books(cash, held), position, profit)

    def failed(self) -> Books:
        """The books after the pending order came to nothing."""
        is_exit = self.pending is not None and self.pending.side is Side.SELL
        return replace(self, pending=None, failed_exits=self.failed_exits + is_exit)


@dataclass(frozen=True, slots=True)
class Settlement:
    """The books after a trade, the position it opened, changed or closed, and what it realised."""

    books: Books
    position: Position
    profit: Decimal
