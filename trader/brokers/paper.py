"""The paper broker: fills at real prices without an exchange.

A market order is filled whole at the first ticker that was observed at or after its decision: a buy at the
ask, a sell at the bid, or at the last price where the exchange tells none; slippage makes it worse. A limit order
is filled whole at the first ticker that reaches its limit: at the ticker's price if that is the first one after
the decision, else at the limit, where it was resting; it is canceled when it has rested for too long. The fee is
a share of the cost, in quote currency. A fill depends on the order and the stored prices alone, so asking again
gives the same one; an entry that was not filled while its price was fresh is given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trader.core.fills import slipped, whole
from trader.core.money import ZERO, exactly, from_price
from trader.core.order import OrderType, Side
from trader.core.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from common.candle import Ticker
    from common.clock import MarketClock
    from trader.core.books import Books
    from trader.core.order import Order
    from trader.core.rules import MarketRules
    from trader.core.trade import Trade


class Prices(Protocol):
    """The stored prices of one symbol, and its market's rules."""

    def first_ticker(
        self, since: int, *, buy_at: Decimal | None = None, sell_at: Decimal | None = None
    ) -> Ticker | None:
        """The first prices at or after `since`, in the exchange's time, that reach a limit if one is given."""

    def clock(self) -> MarketClock | None:
        """The exchange's clock; None while it is not known."""

    def market_rules(self) -> MarketRules | None:
        """The market's rules; None while they are not known."""


@dataclass(frozen=True, slots=True)
class PaperTerms:
    """What the paper broker goes by.

    fee_rate: the fee as a ratio of the cost.
    slippage: how much worse each price of a market order is, a ratio.
    max_ticker_age_s: an entry is not filled at prices older than this, in seconds.
    max_wait_s: nor a market entry at prices that came longer after its decision, in seconds.
    order_timeout_s: for how long a limit order rests, in seconds.
    """

    fee_rate: Decimal
    slippage: Decimal = ZERO
    max_ticker_age_s: float = 60.0
    max_wait_s: float = 120.0
    order_timeout_s: float = 60.0


class PaperBroker:
    """See `roles.Broker`."""

    def __init__(self, prices: Prices, terms: PaperTerms) -> None:
        self._prices = prices
        self._terms = terms

    @property
    def waits_for(self) -> str:
        """See `roles.Broker`."""
        return ""

    def reconcile(self, books: Books) -> None:
        """See `roles.Broker`: there is nobody else's knowledge to compare with."""

    def advance(
        self, order: Order, cash: Decimal, *, why_not: Callable[[], str | None]
    ) -> Outcome | None:
        """See `roles.Broker`: an order counts as sent once it is written."""
        del why_not
        clock = self._prices.clock()
        market = self._prices.market_rules()
        if clock is None or market is None:
            return None
        if order.type is OrderType.LIMIT:
            return self._limit(order, cash, clock)
        return self._market(order, cash, clock, market)

    def _market(
        self, order: Order, cash: Decimal, clock: MarketClock, market: MarketRules
    ) -> Outcome | None:
        ticker = self._prices.first_ticker(order.decided_at)
        if order.side is Side.BUY and (why := self._why_not(order, ticker, clock)):
            return Outcome.rejected(why)
        if ticker is None:
            return None
        price = slipped(
            _met(ticker, order.side), order.side, self._terms.slippage, market.price_step
        )
        return self._filled(order, price, ticker, cash)

    def _limit(self, order: Order, cash: Decimal, clock: MarketClock) -> Outcome | None:
        limit = order.price
        assert limit is not None
        is_buy = order.side is Side.BUY
        ticker = self._prices.first_ticker(
            order.decided_at, **({"buy_at": limit} if is_buy else {"sell_at": limit})
        )
        came = clock.now() if ticker is None else ticker.timestamp
        if _seconds(clock, order.decided_at, came) > self._terms.order_timeout_s:
            return Outcome.canceled(f"not filled within {self._terms.order_timeout_s:g} s")
        if ticker is None:
            return None
        first = self._prices.first_ticker(order.decided_at)
        price = _met(ticker, order.side) if ticker == first else limit
        return self._filled(order, price, ticker, cash)

    def _filled(self, order: Order, price: Decimal, ticker: Ticker, cash: Decimal) -> Outcome:
        trade = whole(order, price, self._terms.fee_rate, ticker.timestamp, "paper")
        if order.side is Side.BUY and (why := _why_too_dear(trade, cash)):
            return Outcome.rejected(why)
        return Outcome.filled(trade)

    def _why_not(self, order: Order, ticker: Ticker | None, clock: MarketClock) -> str | None:
        """Why an entry is given up; None if it is not."""
        terms = self._terms
        came = clock.now() if ticker is None else ticker.timestamp
        if _seconds(clock, order.decided_at, came) > terms.max_wait_s:
            return f"no price came within {terms.max_wait_s:g} s of the decision"
        if ticker is not None and (age_s := clock.age_s(ticker.timestamp)) > terms.max_ticker_age_s:
            return f"the price is {age_s:.0f} s old, limit {terms.max_ticker_age_s:g} s"
        return None


def _met(ticker: Ticker, side: Side) -> Decimal:
    """The price that a market order of that side meets."""
    price = ticker.ask if side is Side.BUY else ticker.bid
    return from_price(ticker.last if price is None else price)


def _why_too_dear(trade: Trade, cash: Decimal) -> str | None:
    with exactly():
        needed = -trade.quote_change
        if needed <= cash:
            return None
    return f"cost and fee are {needed:f}, more than the cash {cash:f}, at price {trade.price:f}"


def _seconds(clock: MarketClock, start: int, end: int) -> float:
    """How long that is for somebody who waits."""
    return clock.age_s(start) - clock.age_s(end)
