"""The account of a backtest: it decides with the trader's own code, and fills as the rules of a backtest say.

- What is decided at a candle's close is filled at the open of the next candle there is.
- Within a candle the stop-loss comes before the take-profit. Either fills at its own price, or at the
  candle's open if that is beyond it already.
- Slippage makes each price worse, the market's price step too; the fee is a share of the cost.
- An entry whose cost and fee are more than the cash is refused, as by the paper broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.candle import Ticker
from trader.core.books import Books
from trader.core.money import ZERO, exactly, floor_to, from_price, plain, rounded
from trader.core.order import Order, Side
from trader.core.rules import Conditions
from trader.core.step import State, guard, limits, step
from trader.core.trade import Trade

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.backtest.candles import Candles
    from trader.backtest.signals import Signals
    from trader.core.position import Position
    from trader.core.rules import MarketRules, Rules


@dataclass(frozen=True, slots=True)
class Terms:
    """What a backtest goes by. Slippage is a ratio of the price; the rest is in quote currency."""

    strategy_id: str
    symbol: str
    starting_balance: Decimal
    rules: Rules
    market: MarketRules
    price_step: Decimal | None = None
    slippage: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade with the order it fills and what it realised; `place` is of the candle it happened in."""

    place: int
    order: Order
    trade: Trade
    profit: Decimal
    books: Books


class Account:
    """One strategy's books, candle by candle: at each, `settle`, then `protect`, then `decide`."""

    def __init__(self, terms: Terms, candles: Candles, signals: Signals) -> None:
        self.books = Books(terms.starting_balance)
        self.fills: list[Fill] = []
        self.closed: list[Position] = []
        self.refused: list[tuple[Order, str]] = []
        self._terms = terms
        self._candles = candles
        self._signals = signals
        self._length = candles.timeframe.milliseconds

    def settle(self, place: int) -> None:
        """Fills the pending order, if there is one, at that candle's open."""
        order = self.books.pending
        if order is None:
            return
        price = self._price(from_price(self._candles.open[place]), order.side)
        trade = self._trade(order, price, int(self._candles.timestamp[place]))
        with exactly():
            needed = plain(trade.cost + trade.fee)
        if order.side is Side.BUY and needed > self.books.cash:
            why = f"cost and fee are {needed:f}, more than the cash {self.books.cash:f}"
            self.refused.append((order, why))
            self.books = self.books.failed()
            return
        self._fill(place, order, trade)

    def protect(self, place: int) -> None:
        """Lets stop-loss and take-profit see that candle's worst price, then its best."""
        candles = self._candles
        last = int(candles.timestamp[place]) + self._length - 1
        for seen in (float(candles.low[place]), float(candles.high[place])):
            if self.books.position is None:
                return
            before = int(
                candles.timestamp[place - 1]
            )  # where the position was decided on, or later
            decision = guard(self._state(last), Ticker(last, None, None, seen), before)
            if decision is not None and decision.order is not None:
                self._leave(place, self.books.position, decision.order, from_price(seen))

    def decide(self, place: int) -> str:
        """Decides about the signal at that candle's close; what was decided, in words."""
        candle = self._candles.at(place)
        signal = self._signals.at(place, candle.timestamp, candle.close)
        decision = step(self._state(candle.timestamp + self._length), candle, signal)
        if decision.order is not None:
            self.books = self.books.ordered(decision.order)
        return decision.text

    def limits(self) -> tuple[Decimal | None, Decimal | None]:
        """The prices of the open position's stop-loss and take-profit."""
        assert self.books.position is not None
        return limits(self.books.position, self._terms.rules)

    @property
    def affords_entry(self) -> bool:
        """Whether the cash is enough for a stake: if not, and nothing is held, it never will be."""
        return self._terms.rules.stake <= self.books.cash

    def _leave(self, place: int, position: Position, order: Order, seen: Decimal) -> None:
        """Fills what the price that was seen has triggered: at its own price, or at the open beyond it."""
        stop, target = limits(position, self._terms.rules)
        opened = from_price(self._candles.open[place])
        if stop is not None and seen <= stop:
            price = min(opened, stop)
        else:
            assert target is not None
            price = max(opened, target)
        timestamp = int(self._candles.timestamp[place])
        if price != opened or position.opened_at == timestamp:
            timestamp += self._length - 1  # some time within the candle: it does not say when
        self.books = self.books.ordered(order)
        self._fill(place, order, self._trade(order, self._price(price, order.side), timestamp))

    def _price(self, price: Decimal, side: Side) -> Decimal:
        """The price with slippage, in the market's steps: both against whoever trades."""
        terms = self._terms
        with exactly():
            slipped = price * (1 + terms.slippage if side is Side.BUY else 1 - terms.slippage)
        if terms.price_step is None:
            return rounded(slipped)
        if side is Side.BUY:
            return -floor_to(-slipped, terms.price_step)
        return max(floor_to(slipped, terms.price_step), terms.price_step)

    def _trade(self, order: Order, price: Decimal, timestamp: int) -> Trade:
        with exactly():
            fee = order.amount * price * self._terms.rules.fee_rate
        return Trade(
            exchange_trade_id=f"backtest-{order.client_order_id}-1",
            symbol=order.symbol,
            side=order.side,
            amount=order.amount,
            price=price,
            fee=rounded(fee),
            timestamp=timestamp,
        )

    def _fill(self, place: int, order: Order, trade: Trade) -> None:
        settlement = self.books.filled(trade, order.reason)
        self.books = settlement.books
        self.fills.append(Fill(place, order, trade, settlement.profit, settlement.books))
        if settlement.position.closed_at is not None:
            self.closed.append(settlement.position)

    def _state(self, now: int) -> State:
        terms = self._terms
        conditions = Conditions(now=now)
        return State(
            terms.strategy_id, terms.symbol, terms.rules, terms.market, self.books, conditions
        )
