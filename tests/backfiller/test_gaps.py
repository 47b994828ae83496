from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backfiller.gaps import Gaps, record_answer, record_out_of_reach
from backfiller.ledger import Evidence
from backfiller.planner import Span, spans_of
from common.candle import Candle
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller.surroundings import STEP, at, rows, times

PARTITION = Partition("coinbase", "AMP/USD", Timeframe.M1)
ALL = Span(0, 1000 * STEP)
HOLE = Span(5 * STEP, 6 * STEP)
AROUND = Evidence(ALL, 0)
slow = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def answer(database, window, holes, now):
    with database.write() as connection:
        record_answer(connection, PARTITION, window, holes, evidence=AROUND, now=now, speed=1.0)


def lose(database, *spans, now=5):
    with database.write() as connection:
        record_out_of_reach(connection, PARTITION, spans, now=now)


def store(database, minutes):
    candles = [Candle(time, 1.0, 1.0, 1.0, 1.0, 0.0) for time in at(minutes)]
    MarketData(database).store_candles(PARTITION, candles)


def ledger(database):
    found = rows(database, 'SELECT start, "end", state FROM gaps ORDER BY start')
    return [(row.start // STEP, row.end // STEP, row.state) for row in found]


def test_an_excused_hole_is_due_again_after_its_wait_and_never_once_it_is_confirmed(database):
    gaps = Gaps(database)

    answer(database, Span(0, 9 * STEP), [HOLE], 0)
    assert gaps.excused(PARTITION, ALL) == [HOLE]
    assert gaps.due(PARTITION, 59_999) == []
    assert gaps.due(PARTITION, 60_000) == [HOLE]

    answer(database, HOLE, [HOLE], 60_000)
    answer(database, HOLE, [HOLE], 660_000)
    assert gaps.due(PARTITION, 10**15) == []
    assert gaps.excused(PARTITION, ALL) == [HOLE]


def test_a_hole_that_fills_is_no_longer_excused_and_its_row_says_filled(database):
    gaps = Gaps(database)
    answer(database, Span(0, 9 * STEP), [HOLE], 0)

    answer(database, HOLE, [], 60_000)

    assert gaps.excused(PARTITION, ALL) == []
    assert rows(database, "SELECT state, asked FROM gaps") == [("filled", 1)]


def test_a_hole_that_is_being_fetched_says_so_and_is_due_again_after_a_kill(database):
    gaps = Gaps(database)
    answer(database, Span(0, 9 * STEP), [HOLE], 0)

    gaps.begin(PARTITION, HOLE)

    assert ledger(database) == [(5, 6, "fetching")]
    assert gaps.due(PARTITION, 60_000) == [HOLE]  # whoever asked may have been killed
    gaps.give_back(PARTITION, HOLE, 90_000)
    assert ledger(database) == [(5, 6, "found")]
    assert gaps.due(PARTITION, 60_000) == []


def test_what_is_out_of_reach_is_one_row_however_it_grows(database):
    lose(database, Span(10 * STEP, 19 * STEP))
    lose(database, Span(5 * STEP, 9 * STEP), Span(20 * STEP, 29 * STEP))
    lose(database, Span(0, 4 * STEP), now=99)

    assert ledger(database) == [(0, 29, "out_of_reach")]
    assert rows(database, "SELECT found_at FROM gaps") == [(5,)]


def test_a_hole_that_was_found_can_get_out_of_reach(database):
    answer(database, Span(0, 9 * STEP), [HOLE], 0)

    lose(database, Span(0, 5 * STEP))

    assert ledger(database) == [(0, 5, "out_of_reach"), (6, 6, "found")]


def test_what_somebody_else_has_filled_falls_in_line(database):
    lose(database, Span(0, 29 * STEP))
    answer(database, Span(40 * STEP, 49 * STEP), [Span(44 * STEP, 46 * STEP)], 0)
    store(database, {*range(10, 20), 45})

    Gaps(database).fall_in_line(PARTITION)

    assert ledger(database) == [
        (0, 9, "out_of_reach"),
        (10, 19, "filled"),
        (20, 29, "out_of_reach"),
        (44, 44, "found"),
        (45, 45, "filled"),
        (46, 46, "found"),
    ]


@slow
@given(
    answers=st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40), st.sets(st.integers(0, 40))), max_size=6
    )
)
def test_after_any_answers_what_is_excused_is_what_the_last_answer_to_each_lacked(
    database, answers
):
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM gaps")
    lacking: set[int] = set()
    for now, (one, other, holes) in enumerate(answers):
        first, last = min(one, other), max(one, other)
        inside = {hole for hole in holes if first <= hole <= last}
        window = Span(first * STEP, last * STEP)

        answer(database, window, spans_of(at(inside), STEP), now)

        lacking = {hole for hole in lacking if not first <= hole <= last} | inside
        assert sorted(times(Gaps(database).excused(PARTITION, ALL))) == at(lacking)


@slow
@given(
    lost=st.sets(st.integers(0, 30)),
    more=st.sets(st.integers(0, 30)),
    there=st.sets(st.integers(0, 30)),
)
def test_after_any_loss_and_any_import_what_is_excused_is_what_is_lost_and_not_there(
    database, lost, more, there
):
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM gaps")
        connection.exec_driver_sql("DELETE FROM ohlcv_data")
    lose(database, *spans_of(at(lost), STEP))
    store(database, there)
    Gaps(database).fall_in_line(PARTITION)
    lose(database, *spans_of(at(more - there), STEP))

    left = times(Gaps(database).excused(PARTITION, ALL))

    assert sorted(left) == at((lost | more) - there)
