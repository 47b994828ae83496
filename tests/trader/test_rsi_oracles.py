"""RSI against three others: TA-Lib, tulipy where there is one, and Wilder's own rule in decimals."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib
from ta.momentum import RSIIndicator

from tests.trader.market import closes
from tests.trader.test_rsi import rsi, windows

REAL = Path(__file__).parents[3] / "shared/data"
FILES = (
    "BITTREX_CFI-BTC_1m",
    "BITTREX_ETH-BTC_1m",
    "BITTREX_ETH-BTC_5m",
    "COINBASE_BTC-USD_1h",
    "UNKNOWN_BTC-USDT_5m",
)


def real(name: str) -> list[float]:
    file = REAL / f"{name}.csv.gz"
    if not file.exists():
        pytest.skip(f"no {file.name} in {REAL}")
    with gzip.open(file, "rt") as lines:
        return [float(row["close"]) for row in csv.DictReader(lines)]


def wilder(prices: list[float], period: int) -> list[float]:
    """Wilder's RSI as his book has it, in decimals: it shares no code and no rounding with any library.

    The first averages are plain means of the first `period` gains and losses; after that each is
    (average x (period - 1) + newest) / period.
    """
    exact = [Decimal(str(price)) for price in prices]
    moves = [after - before for before, after in pairwise(exact)]
    gains = [max(move, Decimal(0)) for move in moves]
    losses = [max(-move, Decimal(0)) for move in moves]
    up, down = sum(gains[:period]) / Decimal(period), sum(losses[:period]) / Decimal(period)
    found = [float("nan")] * period
    for at in range(period, len(prices)):
        if at > period:
            up = (up * (period - 1) + gains[at - 1]) / period
            down = (down * (period - 1) + losses[at - 1]) / period
        found.append(float(100 * up / (up + down)) if up + down else float("nan"))
    return found


def assert_equals_the_oracles(prices: list[float], period: int, *, every: int) -> None:
    strategy = rsi(period=period)
    whole = RSIIndicator(pd.Series(prices), window=period).rsi()
    library = talib.RSI(np.array(prices), timeperiod=period)
    book = wilder(prices, period)
    compared = 0
    for at, row in windows(strategy, prices, every):
        if np.isnan(row["rsi"]):
            assert len(set(prices[at + 1 - strategy.warmup : at + 1])) == 1
            continue
        assert row["rsi"] == pytest.approx(whole[at], abs=1e-6)
        assert row["rsi"] == pytest.approx(library[at], abs=1e-3)
        assert row["rsi"] == pytest.approx(book[at], abs=1e-3)
        compared += 1
    assert compared > 10


@pytest.mark.parametrize("period", [2, 14, 30])
def test_the_rsi_equals_the_whole_historys_and_the_oracles_on_generated_candles(period):
    assert_equals_the_oracles(closes(3000, seed=period), period, every=13)


@pytest.mark.parametrize("name", FILES)
def test_the_rsi_equals_the_whole_historys_and_the_oracles_on_real_candles(name):
    prices = real(name)
    assert_equals_the_oracles(prices, 14, every=max(1, len(prices) // 300))


@pytest.mark.parametrize("period", [2, 14, 30])
def test_the_oracles_agree_with_each_other_at_every_candle(period):
    prices = closes(2000, seed=period)
    library = talib.RSI(np.array(prices), timeperiod=period)
    assert wilder(prices, period)[period:] == pytest.approx(library[period:].tolist(), abs=1e-9)


def test_the_rsi_equals_tulipys():
    tulipy = pytest.importorskip("tulipy", reason="tulipy has to be compiled: .ci/run does")
    prices = closes(3000)
    for period in (2, 14, 30):
        other = tulipy.rsi(np.array(prices), period)  # from the first candle that has one
        for at, row in windows(rsi(period=period), prices, 13):
            assert row["rsi"] == pytest.approx(other[at - period], abs=1e-3)
