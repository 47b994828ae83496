"""What a paper fill costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

from common.candle import Ticker
from common.clock import MarketClock
from tests.trader.market import NOON
from trader.brokers.paper import PaperBroker
from trader.core.order import Order, Side

SELL = Order("cw1", "BTC/USDT", Side.SELL, Decimal(2), "", NOON, NOON)


class OnePrice:
    def __init__(self, price: float) -> None:
        self._price = price

    def first_ticker(self, since: int) -> Ticker | None:
        return Ticker(since, self._price, self._price, self._price)

    def clock(self) -> MarketClock | None:
        return MarketClock(NOON, NOON)


def test_a_fee_is_exact_to_eighteen_decimals_however_many_digits_the_cost_has():
    fee_rate = Decimal("0.00075")
    order = replace(SELL, amount=Decimal("123456789.123456789123456789"))
    broker = PaperBroker(
        OnePrice(2450123456.75), fee_rate=fee_rate, max_ticker_age_s=60, max_wait_s=9
    )
    outcome = broker.advance(order, Decimal(0))
    assert outcome is not None
    assert outcome.trade is not None
    with localcontext(prec=100):
        exact = order.amount * Decimal("2450123456.75") * fee_rate
        assert abs(outcome.trade.fee - exact) <= Decimal("0.5e-18")
