from __future__ import annotations

import math
from decimal import Decimal

import pytest

from backfiller.parsing import candles_of, markets_of, tickers_of
from backfiller.planner import Span
from common.clock import MarketClock
from common.exchange_calls import Answer
from common.timeframe import Timeframe

MINUTE = 60_000
CLOCK = MarketClock(100 * MINUTE, 100 * MINUTE)  # the exchange's time is this machine's
WINDOW = Span(90 * MINUTE, 99 * MINUTE)
GOOD = [95 * MINUTE, 10.0, 12.0, 9.0, 11.0, 5.0]


def parsed(*rows, sent_at=100 * MINUTE, arrived_at=100 * MINUTE):
    return candles_of(Answer(list(rows), sent_at, arrived_at), Timeframe.M1, WINDOW, CLOCK)


def changed(**values):
    names = ("timestamp", "open", "high", "low", "close", "volume")
    return [values.get(name, value) for name, value in zip(names, GOOD, strict=True)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (changed(close=None), "close: expected a finite number above 0, found None"),
        (changed(open=math.nan), "open: expected a finite number above 0, found nan"),
        (changed(high=math.inf), "high: expected a finite number above 0, found inf"),
        (changed(low=0.0), "low: expected a finite number above 0, found 0.0"),
        (changed(close=-1.0), "close: expected a finite number above 0, found -1.0"),
        (changed(volume=-1.0), "volume: expected a finite number of at least 0, found -1.0"),
        (changed(high=8.0), "expected low <= open and close <= high"),
        (changed(close=13.0), "expected low <= open and close <= high"),
        (changed(timestamp=95 * MINUTE + 1), "expected one on the 1m grid"),
        (changed(timestamp=None), "expected one on the 1m grid, found None"),
        (changed(timestamp=102 * MINUTE), "expected none after the exchange's own time"),
        ([1, 2], "row: expected 6 numbers"),
        ("nonsense", "row: expected 6 numbers"),
    ],
)
def test_a_row_that_no_market_can_have_had_is_rejected_with_its_reason(row, reason):
    found = parsed(row, changed(timestamp=96 * MINUTE))

    assert [candle.timestamp for candle in found.candles] == [96 * MINUTE]
    assert [bad.row for bad in found.rejected] == [row]
    assert reason in found.rejected[0].reason


def test_a_candle_given_twice_with_other_values_is_not_believed_either_time():
    found = parsed(GOOD, changed(close=10.5))

    assert found.candles == []
    assert "expected it once" in found.rejected[0].reason


def test_a_candle_given_twice_alike_is_one():
    found = parsed(GOOD, GOOD)

    assert len(found.candles) == 1
    assert found.rejected == []


def test_candles_come_in_order_and_those_outside_the_window_are_passed_over():
    found = parsed(
        changed(timestamp=97 * MINUTE),
        GOOD,
        changed(timestamp=80 * MINUTE),
        changed(timestamp=100 * MINUTE),
    )

    assert [candle.timestamp // MINUTE for candle in found.candles] == [95, 97]
    assert found.rejected == []


def test_a_candle_that_closed_while_the_answer_was_on_its_way_is_left_for_the_next_time():
    newest = changed(timestamp=99 * MINUTE)

    early = parsed(newest, sent_at=100 * MINUTE - 1, arrived_at=100 * MINUTE + 500)
    later = parsed(newest, sent_at=100 * MINUTE, arrived_at=100 * MINUTE + 500)

    assert early.candles == []
    assert len(later.candles) == 1


def test_a_ticker_is_of_the_moment_when_it_was_asked_for_and_may_lack_bid_and_ask():
    told = {
        "BTC/USD": {"bid": None, "ask": None, "last": 5.0, "timestamp": None},
        "ETH/USD": {"bid": 3.0, "ask": 2.0, "last": 2.5},
    }

    found, rejected = tickers_of(
        Answer(told, 101 * MINUTE, 102 * MINUTE), ["BTC/USD", "ETH/USD", "SOL/USD"], CLOCK
    )

    assert list(found) == ["BTC/USD"]
    assert found["BTC/USD"].timestamp == 101 * MINUTE
    assert "expected bid <= ask" in rejected[0].reason


@pytest.mark.parametrize(
    ("mode", "precision", "step"), [(4, 1e-05, "0.00001"), (2, 5, "0.00001"), (2, 0, "1")]
)
def test_a_market_s_steps_are_exact_whichever_way_ccxt_tells_them(mode, precision, step):
    told = {"precision": {"amount": precision}, "limits": {"cost": {"min": 5.0}}}

    market = markets_of({"BTC/USDT": told}, mode)[0]

    assert market.amount_step == Decimal(step)
    assert market.min_cost == Decimal(5)
    assert market.price_step is None
