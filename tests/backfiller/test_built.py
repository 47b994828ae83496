"""Candles that an exchange does not offer are built of finer ones: exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backfiller.building import build, holes, source_of
from backfiller.built import Built
from backfiller.gaps import record_answer, record_out_of_reach
from backfiller.ledger import Evidence, Gap, GapState
from backfiller.planner import Span, spans_of
from backfiller.revisions import store_candles
from common.candle import Candle
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller.surroundings import rows, stored

HOUR = 3_600_000
FINE = Partition("coinbase", "BTC/USD", Timeframe.H1)
BUILT = Partition("coinbase", "BTC/USD", Timeframe.H4)
CONFIG = "partitions: [{exchange: coinbase, symbol: BTC/USD, timeframe: 4h, history: 10d}]"
DAY = 24
FOUND, EMPTY, LOST = GapState.FOUND, GapState.CONFIRMED_EMPTY, GapState.OUT_OF_REACH


@st.composite
def days(draw):
    """The hourly candles of three days; each there, known not to exist, or missing."""
    price = st.floats(0.01, 1e6)
    fates = draw(st.lists(st.sampled_from("...e?"), min_size=3 * DAY, max_size=3 * DAY))
    fine, gaps = {}, []
    for hour, fate in enumerate(fates):
        if fate == ".":
            low, one, other, high = sorted(draw(st.tuples(price, price, price, price)))
            volume = draw(st.floats(0, 1e6))
            fine[hour] = (hour * HOUR, one, high, low, other, volume)
        else:
            state = EMPTY if fate == "e" else FOUND
            gaps.append(Gap(Span(hour * HOUR, hour * HOUR), state, 1, 1, None))
    return fates, fine, gaps


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days())
def test_a_built_candle_is_the_exact_aggregate_of_all_in_it_and_is_not_built_of_some(day):
    fates, fine, gaps = day

    built = {
        one.timestamp: one
        for one in build(list(fine.values()), gaps, FINE.timeframe, BUILT.timeframe)
    }

    for first in range(0, 3 * DAY, 4):
        parts = [fine[hour] for hour in range(first, first + 4) if hour in fine]
        is_whole = "?" not in fates[first : first + 4]
        assert (first * HOUR in built) is (is_whole and bool(parts))
        if first * HOUR in built:
            assert built[first * HOUR] == Candle(
                first * HOUR,
                parts[0][1],
                max(part[2] for part in parts),
                min(part[3] for part in parts),
                parts[-1][4],
                float(sum(Decimal(str(part[5])) for part in parts)),
            )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days())
def test_what_cannot_be_built_says_why(day):
    fates, fine, gaps = day
    rows_, slots = list(fine.values()), Span(0, (3 * DAY - 4) * HOUR)
    fine_frame, wanted = FINE.timeframe, BUILT.timeframe
    built = [one.timestamp for one in build(rows_, gaps, fine_frame, wanted)]

    missing = holes(built, rows_, gaps, slots, source=fine_frame, wanted=wanted)

    told = {
        time: state
        for span, state in missing
        for time in range(span.first, span.last + 1, 4 * HOUR)
    }
    assert told.keys().isdisjoint(built)
    assert sorted([*told, *built]) == list(range(0, 3 * DAY * HOUR, 4 * HOUR))
    for time, state in told.items():
        inside = fates[time // HOUR : time // HOUR + 4]
        assert state is (FOUND if "?" in inside else EMPTY)


@pytest.mark.parametrize(
    ("wanted", "offered", "source"),
    [
        ("4h", ("1m", "5m", "15m", "1h", "1d"), "1h"),
        ("15m", ("1m", "5m", "1h"), "5m"),
        ("1d", ("1m", "4h"), "4h"),
        ("1m", ("5m", "1h"), None),
    ],
)
def test_the_longest_timeframe_that_divides_it_is_the_source(wanted, offered, source):
    found = source_of(Timeframe(wanted), [Timeframe(one) for one in offered])

    assert found == (Timeframe(source) if source else None)


def test_four_hours_of_coinbase_are_those_that_it_would_have_shown(practice, fill, database):
    assert fill(CONFIG) == []

    found = stored(database, "coinbase", "BTC/USD", "4h")
    truth = practice.truth("coinbase", "BTC/USD", "4h", found[0][0])
    assert len(found) == 59
    assert [row[:5] for row in found] == [row[:5] for row in truth]
    assert [row[5] for row in found] == pytest.approx([row[5] for row in truth])
    assert rows(database, "SELECT timeframe, built_from FROM partitions") == [("4h", "1h")]
    fine = stored(database, "coinbase", "BTC/USD", "1h")
    assert fine == practice.truth("coinbase", "BTC/USD", "1h", found[0][0])
    offered = rows(database, "SELECT timeframes FROM exchange_status")
    assert offered == [("1m,5m,15m,1h,4h,1d",)]  # what a trader may ask for

    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM ohlcv_data WHERE timeframe = '4h'")
    fill(CONFIG)
    assert stored(database, "coinbase", "BTC/USD", "4h") == found


def an_hour(hour, price=1.0):
    return Candle(hour * HOUR, price, price, price, price, 1.0)


def four_hours(database):
    """The built candles, and the ledger's rows of those that are missing: by the hour of day."""
    ledger = rows(
        database,
        "SELECT start, \"end\", state FROM gaps WHERE timeframe = '4h' AND state <> 'filled' ORDER BY 1",
    )
    found = [int(row[0]) // HOUR for row in stored(database, "coinbase", "BTC/USD", "4h")]
    return found, [(row[0] // HOUR, row[1] // HOUR, row[2]) for row in ledger]


def test_a_day_falls_into_place_as_its_hours_do(database):
    built, day, window = Built(database), Span(0, 20 * HOUR), Span(4 * HOUR, 23 * HOUR)
    built.keep({BUILT: FINE})
    silent = [9, 12, 13, 14, 15]
    there = [an_hour(hour) for hour in range(4, 24) if hour not in silent]
    MarketData(database).store_candles(FINE, there)
    with database.write() as connection:
        record_out_of_reach(connection, FINE, [Span(0, 3 * HOUR)], now=1)

    def answered_without(now):
        with database.write() as connection:
            record_answer(
                connection,
                FINE,
                window,
                spans_of([hour * HOUR for hour in silent], HOUR),
                evidence=Evidence(window, 4 * HOUR),
                now=now,
                speed=1.0,
            )
            built.follow(connection, FINE, window)

    answered_without(10**9)
    built.catch_up(BUILT, day)
    lost = (0, 0, "out_of_reach")
    assert four_hours(database) == ([4, 16, 20], [lost, (8, 12, "found")])

    answered_without(2 * 10**9)
    answered_without(3 * 10**9)
    assert four_hours(database) == ([4, 8, 16, 20], [lost, (12, 12, "confirmed_empty")])
    assert built.catch_up(BUILT, day) == 0


def test_a_built_candle_is_corrected_with_its_part(database):
    built = Built(database)
    built.keep({BUILT: FINE})
    with database.write() as connection:
        for candle in (*map(an_hour, range(4)), an_hour(2, price=7.0)):
            store_candles(connection, FINE, [candle], now=1, stored_at={})
            revised = built.follow(
                connection, FINE, Span(candle.timestamp, candle.timestamp)
            ).revised

    assert [(one.partition, one.old.high, one.new.high) for one in revised] == [(BUILT, 1.0, 7.0)]
    assert stored(database, "coinbase", "BTC/USD", "4h") == [[0, 1.0, 7.0, 1.0, 1.0, 4.0]]
    assert rows(database, "SELECT timeframe, old_high, new_high FROM revisions") == [
        ("1h", 1.0, 7.0),
        ("4h", 1.0, 7.0),
    ]
