"""The trend filter of RSI: it takes away buys below the trend, and nothing else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trader.market import closes
from tests.trader.test_rsi import frame, prices_of_any_kind, rsi, triggers

RISE = [float(price) for price in range(100, 400)]


def last(prices: list[float], **parameters: object) -> Any:
    return rsi(**parameters).evaluate(frame(prices)).iloc[-1]


def test_a_dip_above_the_trend_is_bought_and_a_fall_below_it_is_not():
    dip = [*RISE, *(400.0 - 3 * step for step in range(20))]
    bought = last(dip, trend_period=300)
    assert bought["signal"] == "buy"
    assert bought["reason"] == "rsi is below 30, and the close is above its trend of 300 candles"
    fallen = last([*dip, *(340.0 - 9 * step for step in range(20))], trend_period=300)
    assert fallen["signal"] == "hold"
    assert (
        fallen["reason"] == "rsi is below 30, but the close is not above its trend of 300 candles"
    )


def test_crossing_mode_says_in_words_that_the_trend_was_against_it():
    said = rsi(trigger="crossing", trend_period=20).evaluate(frame(closes(2000)))
    held = (
        said["reason"] == "rsi rose through 30, but the close is not above its trend of 20 candles"
    )
    assert held.any()
    assert set(said["signal"][held]) == {"hold"}


@given(prices_of_any_kind, triggers, st.integers(2, 130))
def test_it_takes_away_the_buys_that_are_not_above_the_trend_and_changes_nothing_else(
    prices, trigger, period
):
    plain = rsi(period=3, trigger=trigger).evaluate(frame(prices))
    strategy = rsi(period=3, trigger=trigger, trend_period=period)
    filtered = strategy.evaluate(frame(prices))
    for at in range(strategy.warmup - 1, len(prices)):
        trend = math.fsum(prices[at + 1 - period : at + 1]) / period
        assert filtered["trend"][at] == pytest.approx(trend, rel=1e-12)
        wants = str(plain["signal"][at])
        above = prices[at] > trend * (1 + 1e-9)
        assert filtered["signal"][at] == ("hold" if wants == "buy" and not above else wants)
    pd.testing.assert_series_equal(
        filtered["rsi"][strategy.warmup - 1 :], plain["rsi"][strategy.warmup - 1 :]
    )


@pytest.mark.parametrize("before", [0, 7, 1000])
def test_a_close_that_equals_its_trend_is_not_above_it_wherever_the_sum_began(before):
    window = [0.1, 0.7, 0.3, 0.2, 0.4, 0.5, 0.6, 0.4]  # its average is 0.4, but not in floats
    prices = [*closes(before), *window]
    said = rsi(period=2, oversold=99, overbought=99.5, trend_period=8).evaluate(
        frame([*closes(41), *prices])
    )
    assert said["signal"].iloc[-1] == "hold"
    assert str(said["reason"].iloc[-1]).endswith("not above its trend of 8 candles")


@pytest.mark.parametrize(
    ("trend", "trigger", "warmup"),
    [
        (None, "level", 281),
        (200, "level", 281),
        (281, "crossing", 282),
        (282, "crossing", 282),
        (300, "level", 300),
        (300, "crossing", 300),
    ],
)
def test_the_warm_up_is_enough_for_both_indicators_and_not_more(trend, trigger, warmup):
    strategy = rsi(trend_period=trend, trigger=trigger)
    assert strategy.warmup == warmup
    said = strategy.evaluate(frame(closes(warmup)))
    assert said["signal"].iloc[-1] is not None
    assert not np.isnan(said.iloc[-1].drop(["signal", "reason"]).astype(float)).any()
    assert set(said["reason"][:-1]) == {"warming up"}


def test_the_trend_is_a_column_only_when_it_is_on():
    assert list(rsi().evaluate(frame(closes(10)))) == ["signal", "reason", "rsi"]
    assert list(rsi(trend_period=5).evaluate(frame(closes(10)))) == [
        "signal", "reason", "rsi", "trend",
    ]  # fmt: skip


def test_half_a_million_rows_are_evaluated_at_once_with_the_trend_too():
    said = rsi(trend_period=200).evaluate(frame(closes(5000) * 100))
    assert len(said) == 500_000
    assert said["reason"].nunique() <= 6
    assert isinstance(said["signal"].dtype, pd.CategoricalDtype)
