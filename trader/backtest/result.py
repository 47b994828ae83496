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
    from trader.core.order import Order
    from trader.core.position import Position


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. Money is in quote currency.

    `unfilled` is the order that was decided at the last candle, after which there is no open to fill it at.
    """

    terms: Terms
    candles: Candles
    fills: list[Fill]
    closed: list[Position]
    open: Position | None
    unfilled: Order | None
    refused: list[tuple[Order, str]]
    cash: Decimal

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
            books.cash,
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
        """The profit of all sells."""
        with exactly():
            return plain(sum((fill.profit for fill in self.fills), ZERO))

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
        return self._after_each_close([0.0, *(_held(fill) for fill in self.fills)])

    def equity(self) -> NDArray[np.float64]:
        """Cash and the position at the close of each candle, from the first decision on."""
        cash = [
            float(self.terms.starting_balance),
            *(float(fill.books.cash) for fill in self.fills),
        ]
        close = self.candles.close[self.candles.first :]
        return self._after_each_close(cash) + self.held() * close

    def _after_each_close(self, after: list[float]) -> NDArray[np.float64]:
        """A column out of what was before the first fill, and after each."""
        places = [self.candles.first, *(fill.place for fill in self.fills), len(self.candles)]
        return np.repeat(np.array(after), np.diff(places))


def _held(fill: Fill) -> float:
    return 0.0 if fill.books.position is None else float(fill.books.position.amount)
