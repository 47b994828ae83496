from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backfiller.gaps import Gaps, record_answer
from backfiller.planner import Span, spans_of
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller.surroundings import STEP, at, rows, times

PARTITION = Partition("coinbase", "AMP/USD", Timeframe.M1)
ALL = Span(0, 1000 * STEP)


def answer(database, window, holes, now):
    with database.write() as connection:
        record_answer(connection, PARTITION, window, holes, now=now, speed=1.0)


def test_an_excused_hole_is_due_again_after_its_wait_and_never_once_it_is_confirmed(database):
    gaps, hole = Gaps(database), Span(5 * STEP, 6 * STEP)

    answer(database, Span(0, 9 * STEP), [hole], 0)
    assert gaps.excused(PARTITION, ALL) == [hole]
    assert gaps.due(PARTITION, 59_999) == []
    assert gaps.due(PARTITION, 60_000) == [hole]

    answer(database, hole, [hole], 60_000)
    answer(database, hole, [hole], 660_000)
    assert gaps.due(PARTITION, 10**15) == []
    assert gaps.excused(PARTITION, ALL) == [hole]


def test_a_hole_that_fills_is_no_longer_excused_and_its_row_says_filled(database):
    gaps, hole = Gaps(database), Span(5 * STEP, 6 * STEP)
    answer(database, Span(0, 9 * STEP), [hole], 0)

    answer(database, hole, [], 60_000)

    assert gaps.excused(PARTITION, ALL) == []
    assert rows(database, "SELECT state, asked FROM gaps") == [("filled", 1)]


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
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
