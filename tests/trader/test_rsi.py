"""The RSI strategy: what it says, and that it says the same of a window as of a whole history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trader.market import closes
from trader.strategies.rsi import Rsi, RsiParameters


def frame(prices: list[float]) -> pd.DataFrame:
    close = pd.Series(prices, dtype="float64")
    return pd.DataFrame({"open": close, "high": close, "low": close, "close": close, "volume": 1.0})


def rsi(**parameters: Any) -> Rsi:
    return Rsi(RsiParameters(**parameters))


def windows(strategy: Rsi, prices: list[float], every: int) -> list[tuple[int, Any]]:
    """What a trader sees: some rows, each evaluated on its own last `warmup` candles."""
    found = []
    for at in range(strategy.warmup - 1, len(prices), every):
        window = frame(prices[at + 1 - strategy.warmup : at + 1])
        found.append((at, strategy.evaluate(window).iloc[-1]))
    return found


prices_of_any_kind = st.lists(
    st.one_of(
        st.sampled_from([100.0, 101.0]), st.floats(50, 200).map(lambda price: round(price, 2))
    ),
    min_size=1,
    max_size=140,
)


triggers = st.sampled_from(["level", "crossing"])
trends = st.sampled_from([None, 5, 100])  # less and more than RSI takes to warm up


@given(prices_of_any_kind, st.data(), triggers, trends)
def test_later_candles_change_no_earlier_row(prices, data, trigger, trend):
    strategy = rsi(period=3, trigger=trigger, trend_period=trend)
    cut = data.draw(st.integers(1, len(prices)))
    whole, truncated = strategy.evaluate(frame(prices)), strategy.evaluate(frame(prices[:cut]))
    pd.testing.assert_frame_equal(whole.iloc[:cut], truncated, check_exact=True)


@given(prices_of_any_kind, triggers, trends)
def test_the_last_warm_up_candles_give_the_row_of_the_whole_history(prices, trigger, trend):
    strategy = rsi(period=3, trigger=trigger, trend_period=trend)
    whole = strategy.evaluate(frame(prices))
    for at, row in windows(strategy, prices, 1):
        known = whole["rsi"][at]
        assert row["rsi"] == pytest.approx(known, abs=1e-3, nan_ok=True)
        if trend is not None:
            assert row["trend"] == pytest.approx(whole["trend"][at], rel=1e-12)
        if not any(abs(known - level) < 1e-3 for level in (30, 70, 100)):
            assert row["signal"] == whole["signal"][at] or trigger == "crossing"


@pytest.mark.parametrize(
    ("prices", "signal", "reason"),
    [
        (list(range(400, 100, -1)), "buy", "rsi is below 30"),
        (list(range(100, 400)), "sell", "rsi is above 70"),
        ([100, 101] * 150, "hold", "rsi is from 30 to 70"),
    ],
)
def test_level_mode_buys_below_oversold_and_sells_above_overbought(prices, signal, reason):
    last = rsi().evaluate(frame(prices)).iloc[-1]
    assert (last["signal"], last["reason"]) == (signal, reason)


def test_crossing_mode_signals_once_where_the_rsi_comes_back_through_a_level():
    prices = (
        [100.0, 101.0] * 150
        + [101.0 - step for step in range(30)]
        + [72.0 + step for step in range(30)]
    )
    said = rsi(trigger="crossing").evaluate(frame(prices)).iloc[300:]
    level = rsi().evaluate(frame(prices))["rsi"]
    bought = said.index[said["signal"] == "buy"].tolist()
    assert len(bought) == 1
    assert level[bought[0] - 1] < 30 <= level[bought[0]]
    assert said["reason"][bought[0]] == "rsi rose through 30"


@pytest.mark.parametrize(
    "before", [[], [90.0, 110.0] * 40, [float(price) for price in range(1, 90)]]
)
@pytest.mark.parametrize("trigger", ["level", "crossing"])
def test_a_market_that_stands_still_has_no_rsi_and_is_not_overbought(before, trigger):
    strategy = rsi(trigger=trigger)
    last = strategy.evaluate(frame(before + [100.0] * strategy.warmup)).iloc[-1]
    assert last["signal"] == "hold"
    assert last["reason"] == "flat market: 281 equal closes"
    assert np.isnan(last["rsi"])


@pytest.mark.parametrize("then", [99.0, 101.0])
def test_the_first_move_after_a_flat_market_crosses_nothing(then):
    strategy = rsi(trigger="crossing")
    last = strategy.evaluate(frame([100.0] * strategy.warmup + [then])).iloc[-1]
    assert (last["signal"], last["reason"]) == ("hold", "rsi crossed no level")


def test_before_the_warm_up_every_row_holds():
    said = rsi().evaluate(frame([float(price) for price in range(400, 100, -1)]))
    assert set(said["signal"][:280]) == {"hold"}
    assert set(said["reason"][:280]) == {"warming up"}
    assert said["signal"][280] == "buy"


def test_half_a_million_rows_are_evaluated_at_once_with_few_different_reasons():
    said = rsi().evaluate(frame(closes(5000) * 100))
    assert len(said) == 500_000
    assert said["reason"].nunique() <= 5
