"""Each figure on numbers that can be worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.timeframe import Timeframe
from tests.trader_backtest.histories import BUY, HOLD, HOUR, SELL, START, hourly, run, terms
from trader.backtest.candles import Candles
from trader.backtest.metrics import (
    Metrics,
    cagr,
    daily_returns,
    max_drawdown,
    monthly_returns,
    profit_factor,
    sharpe,
    sortino,
    win_rate,
)
from trader.backtest.result import Result
from trader.core.position import Position

DAY = 24 * HOUR


def result_of(rows, under=None) -> Result:
    under = under or terms()
    return Result.of(under, Candles.of(rows, Timeframe.H1), run(rows, under))


def test_equity_is_cash_and_position_at_each_close():
    rows = hourly(
        (100, 100, 100, 100, BUY),
        (100, 110, 100, 110, HOLD),
        (110, 110, 90, 90, SELL),
        (120, 120, 120, 120, HOLD),
    )
    result = result_of(rows)
    assert result.equity().tolist() == [1000, 1010, 990, 1020]
    metrics = Metrics.of(result)
    assert metrics.total_return == pytest.approx(0.02)
    assert metrics.max_drawdown == pytest.approx(1 - 990 / 1010)
    assert metrics.exposure == 0.5
    assert metrics.average_holding_s == 2 * 3600
    assert (metrics.win_rate, metrics.profit_factor) == (1.0, None)


def test_a_candle_in_which_a_stop_ended_the_position_counts_as_exposed():
    rows = hourly((100, 100, 100, 100, BUY), (100, 100, 80, 90, HOLD), (90, 90, 90, 90, HOLD))
    assert Metrics.of(result_of(rows, terms(stop_loss="0.1"))).exposure == pytest.approx(1 / 3)


def test_a_drawdown_from_the_starting_balance_counts():
    assert max_drawdown(np.array([90.0, 120.0, 96.0]), 100.0) == pytest.approx(0.2)
    assert max_drawdown(np.array([85.0, 120.0, 108.0]), 100.0) == pytest.approx(0.15)


def test_the_return_of_a_day_is_from_the_last_equity_of_the_day_before():
    timestamps = np.array([START, START + 23 * HOUR, START + DAY, START + 3 * DAY])
    found = daily_returns(timestamps, np.array([90.0, 110.0, 121.0, 60.5]), 100.0)
    assert found == pytest.approx([0.1, 0.1, 0.0, -0.5])


def test_the_return_of_a_month_is_from_the_last_equity_before_it():
    january, february, april = (
        START + days * DAY + 23 * HOUR for days in (30, 31 + 5, 31 + 28 + 31 + 10)
    )
    timestamps = np.array([START, january, february, april])
    found = monthly_returns(timestamps, np.array([90.0, 110.0, 121.0, 60.5]), 100.0)
    assert list(found) == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert list(found.values()) == pytest.approx([0.1, 0.1, 0.0, -0.5])


@given(
    st.lists(
        st.tuples(st.integers(1, 900), st.floats(0.5, 2.0)), min_size=1, max_size=200
    )  # hours to the next candle, and how equity moves
)
def test_monthly_returns_compounded_are_the_total_return(moves):
    hours, factors = (np.array(column) for column in zip(*moves, strict=True))
    timestamps, equity = START + HOUR * np.cumsum(hours), 1000.0 * np.cumprod(factors)
    returns = monthly_returns(timestamps, equity, 1000.0)
    assert np.prod([1 + ratio for ratio in returns.values()]) == pytest.approx(equity[-1] / 1000.0)


def test_sharpe_and_sortino():
    returns = np.array([0.02, -0.01, 0.03, 0.0])
    assert sharpe(returns) == pytest.approx(0.01 / np.std(returns, ddof=1) * np.sqrt(365))
    assert sortino(returns) == pytest.approx(0.01 / np.sqrt(0.0001 / 4) * np.sqrt(365))
    assert sharpe(np.array([0.01])) is None
    assert sharpe(np.zeros(5)) is None
    assert sortino(np.array([0.01, 0.02])) is None


def test_growth_is_per_year_of_365_days():
    assert cagr(100.0, 121.0, 730.0) == pytest.approx(0.1)
    assert cagr(100.0, 90.0, 365.0) == pytest.approx(-0.1)
    assert cagr(100.0, 101.0, 0.5) is None
    assert cagr(100.0, 1e300, 1.0) is None


def test_profit_factor_and_win_rate_are_of_closed_round_trips():
    closed = [
        Position("BTC/USDT", START, realised_profit=Decimal(profit), closed_at=START + HOUR)
        for profit in ("30", "-10", "0", "-5")
    ]
    assert profit_factor(closed) == 2.0
    assert win_rate(closed) == 0.25
    assert (profit_factor([]), win_rate([])) == (None, None)


def test_without_a_trade_nothing_is_claimed():
    metrics = Metrics.of(result_of(hourly((1, 1, 1, 1, SELL), (1, 1, 1, 1, HOLD))))
    assert (metrics.total_return, metrics.max_drawdown, metrics.exposure) == (0.0, 0.0, 0.0)
    assert {metrics.sharpe, metrics.sortino, metrics.win_rate, metrics.average_holding_s} == {None}
