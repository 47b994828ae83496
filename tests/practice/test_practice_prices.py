from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import ta.momentum
from hypothesis import given, settings

from practice.candles import Candles
from practice.markets import market_of
from practice.noise import key_of, summed, uniform
from practice.path import candles, first_crossing, price_at
from practice.prices import GeneratedPath

if TYPE_CHECKING:
    from practice.noise import Flags, Integers

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_780_000_000_000


@cache
def path_of(exchange: str, symbol: str, seed: int = 1) -> GeneratedPath:
    return GeneratedPath(market_of(exchange, symbol), exchange, seed)


def rows(found: Candles) -> list[tuple[int, ...]]:
    columns = (found.open, found.high, found.low, found.close, found.volume)
    return [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


MARKETS = st.sampled_from([("binance", "BTC/USDT"), ("coinbase", "AMP/USD")])


@settings(deadline=None, max_examples=50)
@given(
    market=MARKETS,
    now=st.integers(NOW - 30 * DAY, NOW),
    sizes=st.sampled_from([(1, 5), (5, 15), (15, 60), (1, 60), (60, 240), (240, 1440)]),
)
def test_long_candles_are_made_of_short_ones_also_while_they_are_open(
    market: tuple[str, str], now: int, sizes: tuple[int, int]
) -> None:
    short, long = (size * MINUTE for size in sizes)
    start = now // long * long - 3 * long
    _, parts = candles(path_of(*market), short, start, now, now)
    opens_ms, whole = candles(path_of(*market), long, start, now, now)
    assert opens_ms == start
    assert rows(parts.grouped(long // short)) == rows(whole)


@settings(deadline=None, max_examples=50)
@given(
    sizes=st.sampled_from([(2, 3), (3, 5), (5, 12)]),
    parts=st.lists(
        st.tuples(st.lists(st.integers(1, 99), min_size=4, max_size=4), st.integers(0, 3)),
        min_size=1,
        max_size=130,
    ),
)
def test_grouping_in_two_steps_is_grouping_in_one(
    sizes: tuple[int, int], parts: list[tuple[list[int], int]]
) -> None:
    price = 50
    made = []
    for (opened, a, b, closed), volume in parts:
        corners = (opened, a, b, closed) if volume else (price,) * 4
        made.append((corners[0], max(corners), min(corners), corners[3], volume))
        price = corners[3]
    found = Candles(*(np.array(column) for column in zip(*made, strict=True)))
    first, second = sizes
    assert rows(found.grouped(first).grouped(second)) == rows(found.grouped(first * second))


@settings(deadline=None, max_examples=50)
@given(market=MARKETS, minutes=st.integers(0, 3000), end=st.integers(NOW - 9 * DAY, NOW))
def test_a_path_is_the_same_whatever_was_asked_before(
    market: tuple[str, str], minutes: int, end: int
) -> None:
    fresh = GeneratedPath(market_of(*market), market[0], 1)
    window = (MINUTE, end - minutes * MINUTE, end, end)
    assert rows(candles(fresh, *window)[1]) == rows(candles(path_of(*market), *window)[1])


@settings(deadline=None, max_examples=100)
@given(market=MARKETS, now=st.integers(NOW - DAY, NOW), later=st.integers(0, MINUTE))
def test_an_open_candle_only_grows(market: tuple[str, str], now: int, later: int) -> None:
    later = min(now + later, now // MINUTE * MINUTE + MINUTE - 1)
    path = path_of(*market)
    ((opened, high, low, close, volume),) = rows(
        candles(path, MINUTE, now - MINUTE + 1, now, now)[1]
    )
    (then,) = rows(candles(path, MINUTE, later - MINUTE + 1, later, later)[1])
    assert (opened, close) == (then[0], price_at(path, now))
    assert then[2] <= low <= close <= high <= then[1]
    assert volume <= then[4]


@settings(deadline=None, max_examples=50)
@given(
    since=st.integers(NOW - DAY, NOW - HOUR),
    span=st.integers(0, 3 * HOUR),
    share=st.floats(-0.01, 0.01),
)
def test_the_first_crossing_is_a_crossing_and_none_lies_before_it(
    since: int, span: int, share: float
) -> None:
    path = path_of("binance", "BTC/USDT")
    level = int(price_at(path, since) * (1 + share))

    def crosses(prices: Integers) -> Flags:
        return prices <= level

    moment = first_crossing(path, since, since + span, crosses)
    end = since + span if moment is None else moment - 1
    before = [price_at(path, one) for one in range(since, end + 1, max(1, span // 500))]
    assert moment is None or price_at(path, moment) <= level
    assert all(price > level for price in before)


def test_another_seed_gives_another_market() -> None:
    one, two = (price_at(path_of("binance", "BTC/USDT", seed), NOW) for seed in (1, 2))
    assert one != two


@pytest.mark.parametrize(("timeframe_ms", "fewest"), [(HOUR, 8), (15 * MINUTE, 30)])
@pytest.mark.parametrize("symbol", ["BTC/USDT", "ETH/USDT", "SOL/USDT"])
def test_rsi_goes_from_oversold_to_overbought_often_enough_to_trade_on(
    symbol: str, timeframe_ms: int, fewest: int
) -> None:
    _, found = candles(path_of("binance", symbol), timeframe_ms, NOW - 90 * DAY, NOW, NOW)
    rsi = ta.momentum.rsi(pd.Series(found.close.astype(float)), 14)
    cycles, is_oversold = 0, False
    for value in rsi.dropna():
        cycles += is_oversold and value > 70
        is_oversold = (is_oversold or value < 30) and value <= 70
    assert cycles >= fewest


@settings(deadline=None, max_examples=50)
@given(
    first=st.integers(-(2**30) // 32, 2**30 // 32),
    count=st.integers(1, 200),
    spacings=st.lists(st.integers(0, 24), min_size=1, max_size=4),
)
def test_summed_noise_is_smooth_between_the_points_of_each_lattice(
    first: int, count: int, spacings: list[int]
) -> None:
    octaves = [(key_of(k), k, 0.5**k) for k in (*spacings, 9)]

    def plain(step: int) -> float:
        total = 0.0
        for key, k, size in octaves:
            cell, place = divmod(step, 2**k)
            left, right = uniform(key, np.array([cell, cell + 1])) * 2 - 1
            position = place / 2**k
            total += size * (left + (right - left) * position**2 * (3 - 2 * position))
        return float(total)

    found = summed(octaves, first * 32, count)
    assert found == pytest.approx([plain(first * 32 + step) for step in range(count)], abs=1e-12)


def test_a_year_of_days_is_made_once_and_then_ready_at_once() -> None:
    fresh = GeneratedPath(market_of("binance", "BTC/USDT"), "binance", 3)
    took = []
    for _ in range(4):
        start = time.process_time()
        assert len(candles(fresh, DAY, NOW - 365 * DAY + 1, NOW, NOW)[1]) == 365
        took.append(time.process_time() - start)
    assert took[0] < 1.5
    assert min(took[1:]) < 0.02


def test_a_thousand_candles_of_an_hour_are_ready_in_time() -> None:
    fresh = GeneratedPath(market_of("binance", "BTC/USDT"), "binance", 3)
    took = []
    for _ in range(4):
        start = time.process_time()
        assert len(candles(fresh, HOUR, NOW - 1000 * HOUR + 1, NOW, NOW)[1]) == 1000
        took.append(time.process_time() - start)
    assert took[0] < 0.5
    assert min(took[1:]) < 0.05
