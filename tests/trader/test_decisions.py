"""What is decided at a candle and at a ticker, and the words for it."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.candle import Ticker
from tests.trader.market import NOON, candle
from trader.core.books import Books, Closed
from trader.core.decision import Decision, State
from trader.core.guard import guard
from trader.core.order import Order, OrderType, Purpose, Side, client_order_id
from trader.core.position import Position
from trader.core.rules import Conditions, MarketRules, Rules
from trader.core.signal import Signal, SignalKind
from trader.core.step import exit_again, step

HELD = Position(
    "BTC/USDT",
    opened_at=NOON,
    amount=Decimal(2),
    entry_cost=Decimal(200),
    average_entry=Decimal(100),
)
ORDER = Order("cw1", "BTC/USDT", Side.BUY, Decimal(1), "", NOON, NOON)
FLAT = State(
    strategy_id="a",
    symbol="BTC/USDT",
    length=3_600_000,
    rules=Rules(
        stake=Decimal(100),
        fee_rate=Decimal("0.001"),
        stop_loss=Decimal("0.05"),
        take_profit=Decimal("0.1"),
    ),
    market=MarketRules(Decimal("0.001"), Decimal("0.001"), Decimal(5)),
    books=Books(Decimal(1000)),
    conditions=Conditions(now=NOON + 3_600_123),
)
LIMIT = replace(FLAT.rules, order_type=OrderType.LIMIT)
HOLDING = replace(FLAT, books=Books(Decimal(800), HELD))


def decide(state: State, kind: SignalKind, price: float = 30.0) -> Decision:
    return step(state, candle(NOON, price), Signal(kind, NOON, price, "rsi is what it is"))


def under(state: State, **conditions: Any) -> State:
    return replace(state, conditions=replace(state.conditions, **conditions))


def test_a_buy_signal_spends_the_stake_fee_inside_rounded_down_to_the_markets_step():
    order = decide(FLAT, SignalKind.BUY).order
    assert order is not None
    assert (order.side, order.amount) == (Side.BUY, Decimal("3.330"))
    assert (order.signal_timestamp, order.decided_at) == (NOON, NOON + 3_600_123)
    assert order.reason == "rsi is what it is"


@pytest.mark.parametrize(
    ("cooldown", "text"),
    [(0, "buy 3.33"), (2, "no trade: cooling down after a loss: 2 of 2 candles to go")],
)
def test_a_loss_since_the_candles_close_counts_for_no_more_candles_than_the_cooldown_has(
    cooldown, text
):
    """The stop-loss sold while the candle, which has just closed, was still to be decided on."""
    lost = Closed(at=NOON + 3_600_100, profit=Decimal(-5))
    state = replace(
        FLAT,
        books=replace(FLAT.books, last_closed=lost),
        rules=replace(FLAT.rules, cooldown=cooldown),
    )
    assert decide(state, SignalKind.BUY).text == text


def test_a_sell_signal_sells_the_whole_position():
    order = decide(HOLDING, SignalKind.SELL).order
    assert order is not None
    assert (order.side, order.amount) == (Side.SELL, Decimal(2))


@pytest.mark.parametrize(
    ("state", "kind", "why"),
    [
        (FLAT, SignalKind.HOLD, "signal is hold"),
        (FLAT, SignalKind.SELL, "no position to sell"),
        (HOLDING, SignalKind.BUY, "position already open"),
        (replace(FLAT, books=replace(FLAT.books, pending=ORDER)), SignalKind.BUY, "order pending"),
        (
            replace(HOLDING, books=replace(HOLDING.books, pending=ORDER)),
            SignalKind.SELL,
            "order pending",
        ),
        (under(FLAT, age_s=400.4), SignalKind.BUY, "candle closed 400 s ago, limit 120 s"),
        (under(FLAT, newest=False), SignalKind.BUY, "a newer candle has closed"),
        (under(FLAT, no_orders="halted (news)"), SignalKind.BUY, "halted (news)"),
        (under(HOLDING, no_orders="halted (news)"), SignalKind.SELL, "halted (news)"),
        (under(FLAT, no_entries="reduce-only (news)"), SignalKind.BUY, "reduce-only (news)"),
        (
            replace(FLAT, books=Books(Decimal("99.9"))),
            SignalKind.BUY,
            "stake 100 is more than the cash 99.9",
        ),
        (
            replace(FLAT, market=MarketRules(Decimal(5))),
            SignalKind.BUY,
            "stake 100 buys less than the least step 5",
        ),
        (
            replace(FLAT, market=MarketRules(min_amount=Decimal(4))),
            SignalKind.BUY,
            "amount 3.33000333 is below the market's least, 4",
        ),
        (
            replace(FLAT, market=MarketRules(Decimal(1), min_cost=Decimal(91))),
            SignalKind.BUY,
            "cost 90 is below the market's least, 91",
        ),
    ],
)
def test_no_trade_and_the_reason_for_it(state, kind, why):
    assert decide(state, kind) == Decision(f"no trade: {why}")


@pytest.mark.parametrize(
    "conditions",
    [{"age_s": 400.0}, {"newest": False}, {"no_entries": "reduce-only (news)"}],
    ids=["old candle", "newer candle known", "reduce-only"],
)
def test_what_blocks_an_entry_lets_an_exit_pass(conditions):
    assert decide(under(HOLDING, **conditions), SignalKind.SELL).order is not None


@pytest.mark.parametrize(
    ("bid", "words"),
    [
        (95.01, None),
        (95.0, "stop-loss: price 95 is at or below 95"),
        (80.0, "stop-loss: price 80 is at or below 95"),
        (109.99, None),
        (110.0, "take-profit: price 110 is at or above 110"),
    ],
)
def test_stop_loss_and_take_profit_act_on_the_bid(bid, words):
    decision = guard(HOLDING, Ticker(NOON + 1, bid, bid + 20, bid + 10), NOON)
    assert (decision.order.reason if decision and decision.order else None) == words


def test_the_last_price_counts_where_the_exchange_tells_no_bid():
    decision = guard(HOLDING, Ticker(NOON + 1, None, None, 90.0), NOON)
    assert decision is not None
    assert decision.text == "sell 2"


@pytest.mark.parametrize(
    "state",
    [
        FLAT,
        replace(HOLDING, books=replace(HOLDING.books, pending=ORDER)),
        under(HOLDING, no_orders="halted (news)"),
        replace(HOLDING, rules=replace(HOLDING.rules, stop_loss=None)),
    ],
    ids=["nothing held", "order pending", "halted", "no stop-loss"],
)
def test_the_guard_does_nothing(state):
    assert guard(state, Ticker(NOON + 1, 1.0, 1.0, 1.0), NOON) is None


def test_a_price_from_before_the_position_opened_stops_nothing():
    assert guard(HOLDING, Ticker(NOON, 1.0, 1.0, 1.0), NOON) is None


def test_a_guard_decides_after_the_price_that_led_to_it_also_when_the_clock_was_corrected():
    opened = HELD.opened_at
    earlier = under(HOLDING, now=opened + 400)
    decision = guard(earlier, Ticker(opened + 500, 90.0, 91.0, 90.5), NOON)
    assert decision is not None
    assert decision.order is not None
    assert decision.order.decided_at == opened + 501


def test_an_exit_that_failed_is_tried_again_under_another_id_and_at_the_market():
    first = decide(replace(HOLDING, rules=LIMIT), SignalKind.SELL).order
    assert first is not None
    assert (first.type, first.price) == (OrderType.LIMIT, Decimal(30))
    failed = replace(HOLDING.books, failed_exits=1, exiting=first)
    again = replace(HOLDING, books=failed)
    orders = [exit_again(again, Decimal(29)), exit_again(again, Decimal(29))]
    assert orders[0] == orders[1]
    second = orders[0].order if orders[0] else None
    assert second is not None
    assert second.client_order_id != first.client_order_id
    assert (second.type, second.reason, second.purpose) == (
        OrderType.MARKET,
        first.reason,
        Purpose.EXIT,
    )
    assert exit_again(HOLDING, Decimal(29)) is None
    assert exit_again(under(again, no_orders="halted (news)"), Decimal(29)) is None
    assert guard(again, Ticker(NOON + 1, 1.0, 1.0, 1.0), NOON) is None
    assert decide(again, SignalKind.SELL).order is None


@given(st.text(min_size=1, max_size=64), st.integers(0, 2**53), st.sampled_from(Purpose))
def test_an_order_id_fits_every_exchange_and_names_one_decision(strategy_id, moment, purpose):
    name = client_order_id(strategy_id, "BTC/USDT", purpose, moment)
    assert re.fullmatch(r"[a-z0-9-]{1,18}", name)
    assert name == client_order_id(strategy_id, "BTC/USDT", purpose, moment)
    assert name != client_order_id(strategy_id, "BTC/USDT", purpose, moment + 1)
    assert name != client_order_id(strategy_id + "x", "BTC/USDT", purpose, moment)


@given(
    stake=st.decimals("0.01", 10_000, places=2),
    price=st.floats(1e-6, 1e6),
    step_=st.sampled_from(["0.00000001", "0.00001", "0.001", "1"]),
)
def test_an_entry_never_costs_more_than_its_stake_at_the_candles_price(stake, price, step_):
    rules = replace(FLAT.rules, stake=stake)
    state = replace(FLAT, rules=rules, market=MarketRules(Decimal(step_)), books=Books(stake))
    order = decide(state, SignalKind.BUY, price).order
    if order is not None:
        assert order.amount % Decimal(step_) == 0
        assert order.amount * Decimal(repr(price)) * Decimal("1.001") <= stake
