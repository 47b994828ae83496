from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from common.errors import ConfigurationError
from practice.desk import Desk, Refused, UnknownOrder
from practice.fees import FeeIn, fees_of
from practice.ledger import Ledger, Overdrawn
from practice.markets import market_of
from practice.orders import ZERO, Change, Kind, Side, Status, Ticket, TimeInForce
from practice.prices import GeneratedPath
from practice.state import open_state
from practice.venue import Listing, Venue

NOW = 1_780_000_000_000
SYMBOL = "BTC/USDT"
MARKET = market_of("binance", SYMBOL)
VENUE = Venue("binance", [Listing(MARKET, GeneratedPath(MARKET, "binance", 1))])
START = {"USDT": Decimal(200_000), "BTC": Decimal(3)}


EACH_FEE = pytest.mark.parametrize("exchange", ["binance", "coinbase", "kraken"])


def desk(exchange: str = "binance") -> Desk:
    fees = fees_of(exchange, Decimal("0.001"))
    found = Desk(VENUE, Ledger(open_state(None), exchange), fees)
    found.ledger.open_account("key", START)
    return found


def test_an_open_order_in_a_market_that_is_gone_is_told_at_the_start() -> None:
    before = desk()
    ticket = Ticket(SYMBOL, "a", Side.BUY, Kind.LIMIT, price=Decimal(20_000), amount=Decimal(1))
    before.place("key", ticket, NOW)
    after = Desk(Venue("binance", []), before.ledger, fees_of("binance", Decimal(0)))
    with pytest.raises(ConfigurationError, match="expected a file for BTC/USDT"):
        after.require_markets_of_open_orders()


@pytest.mark.parametrize(
    "change", [Change("BTC", free=Decimal(-4)), Change("USDT", locked=Decimal(-1))]
)
def test_no_balance_can_fall_below_zero(change: Change) -> None:
    ledger = desk().ledger
    with pytest.raises(Overdrawn, match="expected balances of at least 0"), ledger.transaction():
        ledger.apply("key", [Change("USDT", free=Decimal(-1)), change])
    assert ledger.free("key") == START


@pytest.mark.parametrize(
    ("exchange", "fee_in", "left", "paid_in"),
    [
        ("binance", None, "0.0999", "BTC"),
        ("coinbase", None, "0.1", "USDT"),
        ("kraken", None, "0.1", "USDT"),
        ("kraken", FeeIn.BASE, "0.0999", "BTC"),
    ],
)
def test_what_a_fee_is_taken_in_is_the_exchange_s_way_unless_the_order_says_otherwise(
    exchange: str, fee_in: FeeIn | None, left: str, paid_in: str
) -> None:
    traded = desk(exchange)
    ticket = Ticket(SYMBOL, "", Side.BUY, Kind.MARKET, amount=Decimal("0.1"), fee_in=fee_in)
    order, (fill,) = traded.place("key", ticket, NOW)
    assert traded.ledger.free("key")["BTC"] == START["BTC"] + Decimal(left)
    assert fill.fee_currency == order.fee_currency == paid_in
    assert fill.fee == order.fee > 0


@pytest.mark.parametrize(
    ("exchange", "most"),
    [("coinbase", Decimal(1000)), ("kraken", Decimal(1000) * Decimal("1.001"))],
)
def test_an_order_for_a_cost_has_its_fee_inside_or_on_top(exchange: str, most: Decimal) -> None:
    traded = desk(exchange)
    ticket = Ticket(SYMBOL, "", Side.BUY, Kind.MARKET, cost=Decimal(1000))
    traded.place("key", ticket, NOW)
    spent = START["USDT"] - traded.ledger.free("key")["USDT"]
    assert most - 1 < spent <= most


def test_an_order_for_less_than_one_step_costs_expires_with_nothing() -> None:
    traded = desk()
    ticket = Ticket(SYMBOL, "a", Side.BUY, Kind.MARKET, cost=Decimal("0.01"))
    order, fills = traded.place("key", ticket, NOW)
    assert order.status is Status.EXPIRED
    assert (order.amount, len(fills)) == (ZERO, 0)


def test_a_resting_order_keeps_the_terms_of_its_first_moment_when_the_fee_rate_changes() -> None:
    before = desk("kraken")
    ticket = Ticket(SYMBOL, "a", Side.BUY, Kind.LIMIT, price=Decimal(20_000), amount=Decimal(1))
    order, _ = before.place("key", ticket, NOW)
    assert before.ledger.balances("key")["USDT"] == (Decimal(179_980), Decimal(20_020))
    after = Desk(VENUE, before.ledger, fees_of("kraken", Decimal("0.01")))
    after.cancel("key", order.order_id, NOW)
    assert after.ledger.balances("key")["USDT"] == (START["USDT"], ZERO)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.sampled_from(Kind),
        st.sampled_from(TimeInForce),
        st.integers(1, 250_000),  # amount in steps of the market
        st.integers(-300, 300),  # how far the limit is from the last price, in 0.01%
        st.integers(0, 7_200_000),  # how long after the last step, in milliseconds
        st.booleans(),  # whether the oldest open order is canceled first
        st.sampled_from([None, FeeIn.BASE, FeeIn.QUOTE]),
    ),
    max_size=12,
)


@EACH_FEE
@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_whatever_is_traded_nothing_is_created_or_destroyed_but_fees(
    exchange: str, steps: list[tuple[Any, ...]]
) -> None:
    traded = desk(exchange)
    now_ms = NOW
    for number, step in enumerate(steps):
        side, kind, rests, steps_of_amount, distance, later_ms, cancels, fee_in = step
        now_ms += later_ms
        last = VENUE.listings[SYMBOL].ticker(now_ms).last
        price = VENUE.listings[SYMBOL].price(last + last * distance // 10_000)
        if cancels and (resting := traded.ledger.open_orders()):
            with suppress(UnknownOrder):  # it has just filled
                traded.cancel("key", resting[0].order_id, now_ms)
        for_cost = kind is Kind.MARKET and distance > 0
        ticket = Ticket(
            SYMBOL,
            f"step-{number}",
            side,
            kind,
            rests,
            price if kind is not Kind.MARKET else ZERO,
            amount=ZERO if for_cost else steps_of_amount * MARKET.step,
            cost=Decimal(steps_of_amount) if for_cost else ZERO,
            fee_in=fee_in,
        )
        with suppress(Refused):
            traded.place("key", ticket, now_ms)
    traded.settle(now_ms)
    check_the_books(traded)


def check_the_books(traded: Desk) -> None:
    held = {name: free + locked for name, (free, locked) in traded.ledger.balances("key").items()}
    expected = defaultdict(Decimal, START)
    fees: dict[int, Decimal] = defaultdict(Decimal)
    for fill in traded.ledger.fills_of("key", SYMBOL):
        sign = 1 if fill.side is Side.BUY else -1
        expected["BTC"] += sign * fill.amount
        expected["USDT"] -= sign * fill.cost
        expected[fill.fee_currency] -= fill.fee
        fees[fill.order_id] += fill.fee
    assert held == expected

    locked: dict[str, Decimal] = defaultdict(Decimal)
    for order in traded.ledger.orders_of("key"):
        assert order.fee == fees[order.order_id]
        assert (order.status is Status.FILLED) == (0 < order.filled == order.amount)
        if order.status is Status.OPEN:
            assert order.remaining > 0
            buys = order.ticket.side is Side.BUY
            spent = order.remaining * (order.ticket.price if buys else 1)
            currency = "USDT" if buys else "BTC"
            if order.fee_currency == currency:
                spent += order.fee_for(order.ticket.price, order.remaining)
            locked[currency] += spent
    assert {name: one for name, (_, one) in traded.ledger.balances("key").items() if one} == locked
