from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backfiller.ledger import Gap, GapState, cut, settle
from backfiller.planner import Span, spans_of
from tests.backfiller.surroundings import STEP, at, times

HOLE = Span(10 * STEP, 12 * STEP)


def test_a_hole_is_asked_for_again_later_and_later_and_confirmed_after_the_third_answer():
    first = settle([], [HOLE], STEP, 1000)[0]
    second = settle([first], [HOLE], STEP, 2000)[0]
    third = settle([second], [HOLE], STEP, 3000)[0]

    assert (first.state, first.asked, first.ask_again_at) == (GapState.FOUND, 1, 61_000)
    assert (second.state, second.asked, second.ask_again_at) == (GapState.FOUND, 2, 602_000)
    assert (third.state, third.asked, third.ask_again_at) == (GapState.CONFIRMED_EMPTY, 3, None)
    assert third.found_at == 1000


def test_a_fast_rehearsal_asks_again_as_much_sooner():
    assert settle([], [HOLE], STEP, 1000, speed=60.0)[0].ask_again_at == 2000


def test_what_turns_up_is_filled_and_the_rest_stays_missing():
    gap = settle([], [HOLE], STEP, 1000)[0]

    rows = settle([gap], [Span(11 * STEP, 11 * STEP)], STEP, 2000)

    assert [(row.span.first // STEP, row.state, row.asked) for row in rows] == [
        (10, GapState.FILLED, 1),
        (11, GapState.FOUND, 2),
        (12, GapState.FILLED, 1),
    ]


@given(known=st.sets(st.integers(0, 60)), holes=st.sets(st.integers(0, 60)))
def test_after_an_answer_each_hole_is_in_one_row_and_each_row_was_known_or_is_a_hole(known, holes):
    gaps = [Gap(span, GapState.FOUND, 1, 1, 2) for span in spans_of(at(known), STEP)]

    rows = settle(gaps, spans_of(at(holes), STEP), STEP, 5)

    missing = [row.span for row in rows if row.state is not GapState.FILLED]
    filled = [row.span for row in rows if row.state is GapState.FILLED]
    assert sorted(times(missing)) == at(holes)
    assert sorted(times(filled)) == at(known - holes)


def test_the_parts_of_a_row_outside_of_what_was_asked_for_stay_as_they_are():
    gap = Gap(Span(0, 9 * STEP), GapState.FOUND, 1, 2, 3)

    outside, inside = cut(gap, Span(4 * STEP, 5 * STEP), STEP)

    assert [part.span for part in outside] == [Span(0, 3 * STEP), Span(6 * STEP, 9 * STEP)]
    assert inside == Gap(Span(4 * STEP, 5 * STEP), GapState.FOUND, 1, 2, 3)
    assert all(part.asked == 2 for part in outside)
