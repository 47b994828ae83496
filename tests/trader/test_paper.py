"""What a paper order is filled at, and when it is given up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import pytest

from common.candle import Ticker
from common.clock import MarketClock, wall_now
from tests.trader.market import NOON
from trader.brokers.paper import PaperBroker, PaperTerms
from trader.core.order import Order, OrderStatus, OrderType, Side
from trader.core.rules import MarketRules

if TYPE_CHECKING:
    from trader.core.outcome import Outcome

SELL = Order("cw1", "BTC/USDT", Side.SELL, Decimal(2), "", NOON, NOON)
BUY = replace(SELL, side=Side.BUY)
TERMS = PaperTerms(fee_rate=Decimal("0.001"))
CASH = Decimal(10_000)


class Tape:
    """Prices one second apart, each as (bid, ask), from the decision on; the market's price step."""

    def __init__(self, *prices: tuple[float, float], step: str | None = None) -> None:
        self._tickers = [
            Ticker(NOON + 1000 * at, bid, ask, bid) for at, (bid, ask) in enumerate(prices)
        ]
        self._rules = MarketRules(price_step=None if step is None else Decimal(step))
        self.now = NOON + 1000 * len(prices)

    def first_ticker(
        self, since: int, *, buy_at: Decimal | None = None, sell_at: Decimal | None = None
    ) -> Ticker | None:
        for ticker in self._tickers:
            assert ticker.ask is not None
            assert ticker.bid is not None
            buys = buy_at is None or Decimal(repr(ticker.ask)) <= buy_at
            sells = sell_at is None or Decimal(repr(ticker.bid)) >= sell_at
            if ticker.timestamp >= since and buys and sells:
                return ticker
        return None

    def clock(self) -> MarketClock | None:
        return MarketClock(self.now, wall_now())

    def market_rules(self) -> MarketRules | None:
        return self._rules


def outcome(order: Order, tape: Tape, terms: PaperTerms = TERMS, cash: Decimal = CASH) -> Outcome:
    found = PaperBroker(tape, terms).advance(order, cash, why_not=lambda: None)
    assert found is not None
    return found


def price_and_time(found: Outcome) -> tuple[Decimal, int]:
    (trade,) = found.trades
    return trade.price, trade.timestamp - NOON


def limit(order: Order, price: str) -> Order:
    return replace(order, type=OrderType.LIMIT, price=Decimal(price))


def test_a_fee_is_exact_to_eighteen_decimals_however_many_digits_the_cost_has():
    terms = PaperTerms(Decimal("0.00075"))
    order = replace(SELL, amount=Decimal("123456789.123456789123456789"))
    (trade,) = outcome(order, Tape((2450123456.75, 2450123456.75)), terms).trades
    with localcontext(prec=100):
        exact = order.amount * Decimal("2450123456.75") * terms.fee_rate
        assert abs(trade.fee - exact) <= Decimal("0.5e-18")


@pytest.mark.parametrize(
    ("order", "step", "price"),
    [(BUY, None, "101.101"), (SELL, None, "99.9"), (BUY, "0.05", "101.15"), (SELL, "0.5", "99.5")],
)
def test_slippage_and_the_markets_price_step_are_against_who_trades(order, step, price):
    terms = replace(TERMS, slippage=Decimal("0.001"))
    found = outcome(order, Tape((100.0, 101.0), step=step), terms)
    assert price_and_time(found) == (Decimal(price), 0)


def test_a_limit_order_that_the_market_is_beyond_fills_at_the_markets_price():
    tape = Tape((100.0, 101.0), (90.0, 91.0))
    assert price_and_time(outcome(limit(BUY, "102"), tape)) == (Decimal(101), 0)
    assert price_and_time(outcome(limit(SELL, "99"), tape)) == (Decimal(100), 0)


def test_a_limit_order_rests_and_fills_at_its_limit_when_a_price_gets_there():
    tape = Tape((100.0, 101.0), (98.5, 99.5), (97.0, 98.0), (104.0, 105.0))
    assert price_and_time(outcome(limit(BUY, "99"), tape)) == (Decimal(99), 2000)
    assert price_and_time(outcome(limit(SELL, "103"), tape)) == (Decimal(103), 3000)
    assert PaperBroker(tape, TERMS).advance(limit(BUY, "90"), CASH, why_not=lambda: None) is None


def test_a_limit_order_that_rests_for_too_long_is_canceled_also_if_nobody_looked_meanwhile():
    terms = replace(TERMS, order_timeout_s=2.5)
    tape = Tape((100.0, 101.0), (100.0, 101.0), (100.0, 101.0), (80.0, 81.0))
    found = outcome(limit(BUY, "90"), tape, terms)
    assert (found.status, found.failure) == (OrderStatus.CANCELED, "not filled within 2.5 s")
    assert not found.trades


def test_an_entry_for_which_the_cash_is_not_enough_is_rejected():
    found = outcome(BUY, Tape((100.0, 101.0)), cash=Decimal(202))
    assert found.status is OrderStatus.REJECTED
    assert found.failure == "cost and fee are 202.202, more than the cash 202, at price 101"
