"""The account of a backtest: it decides with the trader's own code, and fills as the rules of a backtest say.

- What is decided at a candle's close is filled at the open of the next candle there is. A limit order rests for
  that one candle: it fills at its limit if the candle reaches it, or at the open if that is better.
- Within a candle a stop comes before the take-profit. Either fills at its own price, or at the candle's open
  if that is beyond it already. The trailing stop follows the highs of the candles before, and the open.
- Slippage makes each price but a limit order's worse, the market's price step too; the fee is a share of the cost.
- An entry whose cost and fee are more than the cash is refused, as by the paper broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.candle import Ticker
from trader.core.books import Books
from trader.core.decision import State
from trader.core.equity import Marks, reached
from trader.core.fills import slipped, whole
from trader.core.guard import guard, limits
from trader.core.money import ZERO, exactly, from_price
from trader.core.order import Order, OrderType, Side
from trader.core.outcome import Outcome
from trader.core.rules import Conditions
from trader.core.step import exit_again, step

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.backtest.candles import Candles
    from trader.backtest.signals import Signals
    from trader.core.books import Settlement
    from trader.core.decision import Decision
    from trader.core.guard import Limits
    from trader.core.position import Position
    from trader.core.rules import MarketRules, Rules
    from trader.core.trade import Trade


@dataclass(frozen=True, slots=True)
class Terms:
    """What a backtest goes by. Slippage is a ratio of the price; the rest is in quote currency."""

    strategy_id: str
    symbol: str
    starting_balance: Decimal
    rules: Rules
    market: MarketRules
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
    """One strategy's books, candle by candle: at each, `settle`, then `protect`, then `decide`.

    `changes` are the books after each change, with the candle from whose close on they hold.
    """

    def __init__(self, terms: Terms, candles: Candles, signals: Signals) -> None:
        self.books = Books(terms.starting_balance)
        self.fills: list[Fill] = []
        self.closed: list[Position] = []
        self.refused: list[tuple[Order, str]] = []
        self.changes: list[tuple[int, Books]] = []
        self.marks = Marks.first(terms.starting_balance)
        self._no_entries: tuple[str, int | None] | None = None
        self._high = ZERO  # the highest price since the entry, of the candles before `_high_until`
        self._high_until = 0
        self._terms = terms
        self._candles = candles
        self._signals = signals
        self._length = candles.timeframe.milliseconds

    def settle(self, place: int) -> None:
        """Fills the pending order, if there is one and that candle lets it."""
        order = self.books.pending
        if order is None:
            return
        opened, timestamp = self._opened(place), int(self._candles.timestamp[place])
        if order.type is OrderType.LIMIT:
            self._settle_limit(place, order, opened, timestamp)
        else:
            self._fill(place, order, self._slipped(opened, order.side), timestamp)

    def protect(self, place: int) -> None:
        """Lets the limits see that candle's worst price, then its best."""
        candles = self._candles
        last = int(candles.timestamp[place]) + self._length - 1
        for seen in (float(candles.low[place]), float(candles.high[place])):
            if self.books.position is None:
                return
            price = self._price_of_limit(place, from_price(seen))
            if price is None:
                continue
            before = int(
                candles.timestamp[place - 1]
            )  # where the position was decided on, or later
            ticker = Ticker(last, None, None, seen)
            decision = guard(self._state(last), ticker, before, self._followed(place), price)
            if decision is not None:
                self._leave(place, decision, price)

    def decide(self, place: int) -> str:
        """Decides about the signal at that candle's close; what was decided, in words."""
        candle = self._candles.at(place)
        closed = candle.timestamp + self._length
        if self._terms.rules.limits_equity:
            self._mark(closed, candle.close)
        signal = self._signals.at(place, candle.timestamp, candle.close)
        decision = step(self._state(closed), candle, signal)
        self._carry_out(decision, closed, place + 1)
        return decision.text

    def limits(self, place: int) -> Limits:
        """The limits of the open position as they are when that candle opens."""
        assert self.books.position is not None
        return limits(self.books.position, self._terms.rules, self._followed(place))

    def highest(self, place: int) -> Decimal:
        """The highest price since the entry that is known when that candle has opened."""
        if place > self._high_until:
            seen = self._candles.high[self._high_until : place].max()
            self._high, self._high_until = max(self._high, from_price(seen)), place
        return max(self._high, self._opened(place))

    @property
    def ended(self) -> str | None:
        """The limit of the equity after which there is no more entry; None while there is none."""
        reason, until = self._no_entries or ("", 0)
        return reason if until is None else None

    @property
    def can_enter(self) -> bool:
        """Whether there may be another entry: without cash for a stake, or once it is over, never again."""
        return self.ended is None and self._terms.rules.stake_of(self.books.cash) <= self.books.cash

    # --- filling ---

    def _settle_limit(self, place: int, order: Order, opened: Decimal, timestamp: int) -> None:
        limit, inside = order.price, timestamp + self._length - 1
        assert limit is not None
        is_buy = order.side is Side.BUY
        if opened <= limit if is_buy else opened >= limit:
            self._fill(place, order, opened, timestamp)
        elif (
            from_price(self._candles.low[place]) <= limit
            if is_buy
            else (from_price(self._candles.high[place]) >= limit)
        ):
            self._fill(place, order, limit, inside)
        else:
            self._give_up(order, Outcome.canceled("not filled within a candle"), inside)
            again = exit_again(self._state(inside + 1), from_price(self._candles.close[place]))
            if again is not None:
                self._carry_out(again, inside + 1, place + 1)

    def _fill(self, place: int, order: Order, price: Decimal, timestamp: int) -> None:
        """Fills an order whole; or refuses an entry for which the cash is not enough."""
        trade = whole(order, price, self._terms.rules.fee_rate, timestamp, "backtest")
        if order.side is Side.BUY:
            with exactly():
                needed = -trade.quote_change
            if needed > self.books.cash:
                why = f"cost and fee are {needed:f}, more than the cash {self.books.cash:f}"
                self._give_up(order, Outcome.rejected(why), timestamp)
                return
        settlement = self.books.settled(
            Outcome.filled(trade), market=self._terms.market, now=timestamp
        )
        self._take(settlement, place)
        (_, profit), *_ = settlement.booked
        self.fills.append(Fill(place, order, trade, profit, self.books))
        if order.side is Side.BUY:
            self._high, self._high_until = price, place

    def _give_up(self, order: Order, outcome: Outcome, now: int) -> None:
        self.books = self.books.settled(outcome, market=self._terms.market, now=now).books
        if order.side is Side.BUY:
            self.refused.append((order, outcome.failure or ""))

    def _price_of_limit(self, place: int, seen: Decimal) -> Decimal | None:
        """What a limit that this price reaches fills at: its own price, or the open beyond it. None: none is reached."""
        found, opened = self.limits(place), self._opened(place)
        if found.stop is not None and seen <= found.stop:
            return min(opened, found.stop)
        if found.target is not None and seen >= found.target:
            return max(opened, found.target)
        return None

    def _leave(self, place: int, decision: Decision, price: Decimal) -> None:
        """Carries out what a limit within that candle has led to."""
        timestamp = int(self._candles.timestamp[place])
        position = self.books.position
        assert position is not None
        if price != self._opened(place) or position.opened_at == timestamp:
            timestamp += self._length - 1  # some time within the candle: it does not say when
        self._carry_out(decision, timestamp, place)
        if decision.order is not None:
            price = self._slipped(price, decision.order.side)
            self._fill(place, decision.order, price, timestamp)

    def _carry_out(self, decision: Decision, now: int, place: int) -> None:
        """Has an order wait to be filled, or writes a position off, which counts from that candle on."""
        if decision.write_off is not None:
            self._take(self.books.written_off(now, decision.write_off), place)
        elif decision.order is not None:
            self.books = self.books.ordered(decision.order)

    def _take(self, settlement: Settlement, place: int) -> None:
        self.books = settlement.books
        self.changes.append((place, self.books))
        if settlement.position is not None and settlement.position.closed_at is not None:
            self.closed.append(settlement.position)

    def _slipped(self, price: Decimal, side: Side) -> Decimal:
        return slipped(price, side, self._terms.slippage, self._terms.market.price_step)

    # --- what is known at a moment ---

    def _mark(self, closed: int, close: float) -> None:
        """Looks whether the equity has reached a limit."""
        self.marks = self.marks.after(closed, self.books.equity(close))
        found = reached(self.marks, self._terms.rules)
        if found is None:
            return
        self.marks = self.marks.counted_anew()
        if self._no_entries is None or self._no_entries[1] is not None:
            self._no_entries = (found.reason, found.until)

    def _followed(self, place: int) -> Decimal | None:
        """The price that a trailing stop follows; None if there is none."""
        return None if self._terms.rules.trailing_stop is None else self.highest(place)

    def _opened(self, place: int) -> Decimal:
        return from_price(self._candles.open[place])

    def _state(self, now: int) -> State:
        terms = self._terms
        why = None
        if self._no_entries is not None:
            reason, until = self._no_entries
            why = f"reduce-only ({reason})" if until is None or now < until else None
        conditions = Conditions(now=now, no_entries=why)
        return State(
            terms.strategy_id, terms.symbol, self._length, terms.rules, terms.market,
            self.books, conditions,
        )  # fmt: skip
