"""The paper broker: fills at real prices without an exchange.

A market order is filled whole at the first ticker that was observed at or after its decision: a buy at the
ask, a sell at the bid, or at the last price where the exchange tells none. The fee is a share of the cost, in
quote currency. A fill depends on the order and the stored prices alone, so asking again gives the same one; an
entry that was not filled while its price was fresh is given up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from trader.core.money import exactly, from_price, rounded
from trader.core.order import Side
from trader.core.trade import Trade
from trader.roles import Outcome

if TYPE_CHECKING:
    from decimal import Decimal

    from common.candle import Ticker
    from common.clock import MarketClock
    from trader.core.order import Order


class Prices(Protocol):
    """The stored prices of one symbol."""

    def first_ticker(self, since: int) -> Ticker | None:
        """The first prices at or after `since`, in the exchange's time."""

    def clock(self) -> MarketClock | None:
        """The exchange's clock; None while it is not known."""


class PaperBroker:
    """See `roles.Broker`.

    Args:
        prices: where it fills.
        fee_rate: the fee as a ratio of the cost.
        max_ticker_age_s: an entry is not filled at prices older than this, in seconds.
        max_wait_s: nor at prices that came longer after its decision, in seconds.
    """

    def __init__(
        self, prices: Prices, *, fee_rate: Decimal, max_ticker_age_s: float, max_wait_s: float
    ) -> None:
        self._prices = prices
        self._fee_rate = fee_rate
        self._max_ticker_age_s = max_ticker_age_s
        self._max_wait_s = max_wait_s

    def advance(self, order: Order, cash: Decimal) -> Outcome | None:
        """See `roles.Broker`."""
        clock = self._prices.clock()
        if clock is None:
            return None
        ticker = self._prices.first_ticker(order.decided_at)
        if order.side is Side.BUY and (why := self._why_not(order, ticker, clock)):
            return Outcome.rejected(why)
        if ticker is None:
            return None
        trade = self._fill(order, ticker)
        with exactly():
            needed = trade.cost + trade.fee
        if order.side is Side.BUY and needed > cash:
            return Outcome.rejected(
                f"cost and fee are {needed:f}, more than the cash {cash:f}, at price {trade.price:f}"
            )
        return Outcome.filled(trade)

    def _why_not(self, order: Order, ticker: Ticker | None, clock: MarketClock) -> str | None:
        """Why an entry is given up; None if it is not."""
        came = clock.now() if ticker is None else ticker.timestamp
        waited_s = clock.age_s(order.decided_at) - clock.age_s(came)
        if waited_s > self._max_wait_s:
            return f"no price came within {self._max_wait_s:g} s of the decision"
        if ticker is not None and (age_s := clock.age_s(ticker.timestamp)) > self._max_ticker_age_s:
            return f"the price is {age_s:.0f} s old, limit {self._max_ticker_age_s:g} s"
        return None

    def _fill(self, order: Order, ticker: Ticker) -> Trade:
        side_price = ticker.ask if order.side is Side.BUY else ticker.bid
        price = from_price(ticker.last if side_price is None else side_price)
        with exactly():
            fee = order.amount * price * self._fee_rate
        return Trade(
            exchange_trade_id=f"paper-{order.client_order_id}-1",
            symbol=order.symbol,
            side=order.side,
            amount=order.amount,
            price=price,
            fee=rounded(fee),
            timestamp=ticker.timestamp,
        )
