"""The simulation, the plain loop over every candle and a naive reference make the same trades."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from common.timeframe import Timeframe
from tests.trader_backtest.histories import (
    Scripted,
    all_terms,
    histories,
    plain_loop,
    run,
    simple_terms,
)
from tests.trader_backtest.reference import Given, trades
from trader.backtest.candles import Candles
from trader.backtest.result import Result
from trader.backtest.signals import signals_of
from trader.backtest.simulation import simulate
from trader.core.money import from_price, highest_up_to

if TYPE_CHECKING:
    from trader.backtest.account import Terms


@settings(max_examples=250, deadline=None)
@given(rows=histories(), under=all_terms(), warmup=st.integers(1, 3))
def test_jumping_from_event_to_event_ends_in_the_books_of_the_plain_loop(rows, under, warmup):
    candles = Candles.of(rows, Timeframe.H1)
    signals = signals_of(Scripted(warmup), candles)
    jumped, plain = simulate(under, candles, signals), plain_loop(under, candles, signals)
    assert jumped.fills == plain.fills
    assert (jumped.books, jumped.closed, jumped.refused) == (
        plain.books,
        plain.closed,
        plain.refused,
    )


@settings(max_examples=250, deadline=None)
@given(rows=histories(), under=simple_terms(), warmup=st.integers(1, 3))
def test_a_naive_reference_makes_the_same_trades(rows, under, warmup):
    account = run(rows, under, warmup)
    fills, cash, held = trades(rows, as_given(under), warmup)
    assert [
        (f.trade.side.value, f.trade.amount, f.trade.price, f.trade.fee, f.trade.timestamp)
        for f in account.fills
    ] == fills
    position = account.books.position
    assert (account.books.cash, position.amount if position else Decimal(0)) == (cash, held)


@settings(max_examples=100, deadline=None)
@given(rows=histories(), under=all_terms())
def test_cash_and_position_are_the_starting_balance_and_all_profit_to_the_last_digit(rows, under):
    candles = Candles.of(rows, Timeframe.H1)
    result = Result.of(under, candles, simulate(under, candles, signals_of(Scripted(), candles)))
    assert result.cash + result.value == under.starting_balance + result.net_profit
    assert_close(result.equity()[-1], result.cash + result.value)
    assert len(result.equity()) == len(rows)


@given(st.decimals("0.0000001", "100000", places=18))
def test_a_limit_compares_with_columns_of_prices_exactly(limit):
    price = highest_up_to(limit)
    assert from_price(price) <= limit < from_price(math.nextafter(price, math.inf))
    price = -highest_up_to(-limit)
    assert from_price(price) >= limit > from_price(math.nextafter(price, 0))


def assert_close(found: float, expected: Decimal) -> None:
    assert abs(found - float(expected)) < 1e-6


def as_given(under: Terms) -> Given:
    rules, market = under.rules, under.market
    assert rules.stake is not None
    return Given(
        cash=under.starting_balance,
        stake=rules.stake,
        fee=rules.fee_rate,
        stop=rules.stop_loss,
        target=rules.take_profit,
        slippage=under.slippage,
        step=market.amount_step,
        min_amount=market.min_amount,
        min_cost=market.min_cost,
        tick=market.price_step,
    )
