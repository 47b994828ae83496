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
from practice.ledger import Ledger, Overdrawn
from practice.markets import market_of
from practice.orders import Change, Kind, Side, Ticket, TimeInForce
from practice.prices import GeneratedPath
from practice.state import open_state
from practice.venue import Listing, Venue

NOW = 1_780_000_000_000
SYMBOL = "BTC/USDT"
MARKET = market_of("binance", SYMBOL)
VENUE = Venue("binance", [Listing(MARKET, GeneratedPath(MARKET, "binance", 1))])
START = {"USDT": Decimal(200_000), "BTC": Decimal(3)}


def desk() -> Desk:
    found = Desk(VENUE, Ledger(open_state(None), "binance"), Decimal("0.001"))
    found.ledger.open_account("key", START)
    return found


def test_an_open_order_in_a_market_that_is_gone_is_told_at_the_start() -> None:
    before = desk()
    ticket = Ticket(SYMBOL, "a", Side.BUY, Kind.LIMIT, price=Decimal(20_000), amount=Decimal(1))
    before.place("key", ticket, NOW)
    after = Desk(Venue("binance", []), before.ledger, Decimal(0))
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


STEPS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.sampled_from(Kind),
        st.sampled_from(TimeInForce),
        st.integers(1, 250_000),  # amount in steps of the market
        st.integers(-300, 300),  # how far the limit is from the last price, in 0.01%
        st.integers(0, 7_200_000),  # how long after the last step, in milliseconds
        st.booleans(),  # whether the oldest open order is canceled first
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_whatever_is_traded_nothing_is_created_or_destroyed_but_fees(
    steps: list[tuple[Any, ...]],
) -> None:
    traded = desk()
    now_ms = NOW
    for number, (side, kind, rests, steps_of_amount, distance, later_ms, cancels) in enumerate(
        steps
    ):
        now_ms += later_ms
        last = VENUE.listings[SYMBOL].ticker(now_ms).last
        price = VENUE.listings[SYMBOL].price(last + last * distance // 10_000)
        if cancels and (resting := traded.ledger.open_orders()):
            with suppress(UnknownOrder):  # it has just filled
                traded.cancel("key", resting[0].order_id, now_ms)
        ticket = Ticket(
            SYMBOL,
            f"step-{number}",
            side,
            kind,
            rests,
            price if kind is not Kind.MARKET else Decimal(0),
            steps_of_amount * MARKET.step,
        )
        with suppress(Refused):
            traded.place("key", ticket, now_ms)
    traded.settle(now_ms)

    held = {name: free + locked for name, (free, locked) in traded.ledger.balances("key").items()}
    expected = defaultdict(Decimal, START)
    for fill in traded.ledger.fills_of("key", SYMBOL):
        sign = 1 if fill.side is Side.BUY else -1
        expected["BTC"] += sign * fill.amount
        expected["USDT"] -= sign * fill.cost
        expected[fill.fee_currency] -= fill.fee
    assert held == expected

    locked: dict[str, Decimal] = defaultdict(Decimal)
    for order in traded.ledger.open_orders():
        buys = order.ticket.side is Side.BUY
        locked["USDT" if buys else "BTC"] += order.remaining * (order.ticket.price if buys else 1)
    assert {name: one for name, (_, one) in traded.ledger.balances("key").items() if one} == locked
