"""The result of a backtest: its books, which are exact, and its equity at each candle, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trader.core.money import ZERO, exactly, from_price, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from trader.backtest.account import Account, Fill, Terms
    from trader.backtest.candles import Candles
    from trader.core.books import Books
    from trader.core.order import Order
    from trader.core.position import Position


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. Money is in quote currency.

    `unfilled` is the order that was decided at the last candle, after which there is no open to fill it at; `ended`
    the limit of the equity after which there was no more entry.
    """

    terms: Terms
    candles: Candles
    fills: list[Fill]
    closed: list[Position]
    open: Position | None
    unfilled: Order | None
    refused: list[tuple[Order, str]]
    changes: list[tuple[int, Books]]
    cash: Decimal
    ended: str | None

    @classmethod
    def of(cls, terms: Terms, candles: Candles, account: Account) -> Result:
        """The result of an account that has been simulated to the end."""
        books = account.books
        return cls(
            terms,
            candles,
            account.fills,
            account.closed,
            books.position,
            books.pending,
            account.refused,
            account.changes,
            books.cash,
            account.ended,
        )

    @property
    def value(self) -> Decimal:
        """What the open position is worth at the last close, without a fee for leaving it."""
        if self.open is None:
            return ZERO
        with exactly():
            return plain(self.open.amount * from_price(self.candles.close[-1]))

    @property
    def unrealised(self) -> Decimal:
        """The open position's profit at the last close."""
        if self.open is None:
            return ZERO
        with exactly():
            return plain(self.value - self.open.entry_cost)

    @property
    def realised(self) -> Decimal:
        """The profit of all positions, without what the open one has not realised."""
        held = [] if self.open is None else [self.open]
        with exactly():
            return plain(sum((one.realised_profit for one in [*self.closed, *held]), ZERO))

    @property
    def fees(self) -> Decimal:
        """All fees."""
        with exactly():
            return plain(sum((fill.trade.fee for fill in self.fills), ZERO))

    @property
    def net_profit(self) -> Decimal:
        """Realised and unrealised profit: final equity less the starting balance."""
        with exactly():
            return plain(self.realised + self.unrealised)

    def held(self) -> NDArray[np.float64]:
        """The amount held at each close, from the first decision on."""
        return self._at_each_close([0.0, *(_held(books) for _, books in self.changes)])

    def equity(self) -> NDArray[np.float64]:
        """Cash and the position at the close of each candle, from the first decision on."""
        cash = [
            float(self.terms.starting_balance),
            *(float(books.cash) for _, books in self.changes),
        ]
        close = self.candles.close[self.candles.first :]
        return self._at_each_close(cash) + self.held() * close

    def _at_each_close(self, values: list[float]) -> NDArray[np.float64]:
        """A column out of what was before the first change, and after each."""
        changed = [min(place, len(self.candles)) for place, _ in self.changes]
        return np.repeat(
            np.array(values), np.diff([self.candles.first, *changed, len(self.candles)])
        )


def _held(books: Books) -> float:
    return 0.0 if books.position is None else float(books.position.amount)
