from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfiller.ledger import Evidence, Gap, GapState, cut, settle
from backfiller.planner import Span, spans_of
from tests.backfiller.surroundings import STEP, at, times

HOLE = Span(10 * STEP, 12 * STEP)
AROUND = Evidence(seen=Span(9 * STEP, 13 * STEP), oldest=0)
DAY = 86_400_000


def asked(often, evidence, hole=HOLE):
    """The hole's row after so many answers without it, each when it was due."""
    rows: list[Gap] = []
    now = 1000
    for _ in range(often):
        rows = settle(rows, [hole], STEP, now, evidence=evidence)
        now = rows[0].ask_again_at or now
    return rows[0]


def test_a_hole_is_asked_for_again_later_and_later_and_confirmed_after_the_third_answer():
    first, second, third = (asked(often, AROUND) for often in (1, 2, 3))

    assert (first.state, first.asked, first.ask_again_at) == (GapState.FOUND, 1, 61_000)
    assert (second.state, second.asked, second.ask_again_at) == (GapState.FOUND, 2, 661_000)
    assert (third.state, third.asked, third.ask_again_at) == (GapState.CONFIRMED_EMPTY, 3, None)
    assert third.found_at == 1000


@pytest.mark.parametrize(
    "seen", [None, Span(13 * STEP, 20 * STEP), Span(0, 9 * STEP)], ids=["none", "later", "earlier"]
)
def test_answers_without_a_neighbour_on_each_side_confirm_nothing_for_days(seen):
    evidence = Evidence(seen, oldest=0)

    third, eighth = asked(3, evidence), asked(8, evidence)

    assert third.state is GapState.FOUND
    assert eighth.state is GapState.CONFIRMED_EMPTY
    seventh = asked(7, evidence)
    assert seventh.ask_again_at is not None
    assert seventh.ask_again_at - seventh.found_at > 3 * DAY


def test_what_is_missing_before_the_oldest_candle_is_out_of_reach_after_the_third_answer():
    evidence = Evidence(seen=Span(13 * STEP, 20 * STEP), oldest=13 * STEP)

    assert asked(2, evidence).state is GapState.FOUND
    assert asked(3, evidence).state is GapState.OUT_OF_REACH


def test_an_answer_that_comes_before_its_time_says_nothing_new():
    first = asked(1, AROUND)

    rows = settle([first], [HOLE], STEP, first.ask_again_at - 1, evidence=AROUND)

    assert rows == [first]


@pytest.mark.parametrize("state", [GapState.CONFIRMED_EMPTY, GapState.OUT_OF_REACH])
def test_what_is_settled_stays_so_when_an_answer_happens_to_touch_it(state):
    gap = Gap(HOLE, state, 1, 3, None)

    assert settle([gap], [HOLE], STEP, 10**9, evidence=Evidence()) == [gap]


def test_a_fast_rehearsal_asks_again_as_much_sooner():
    assert settle([], [HOLE], STEP, 1000, evidence=AROUND, speed=60.0)[0].ask_again_at == 2000


def test_what_turns_up_is_filled_and_the_rest_stays_missing():
    gap = asked(1, AROUND)

    rows = settle([gap], [Span(11 * STEP, 11 * STEP)], STEP, 61_000, evidence=AROUND)

    assert [(row.span.first // STEP, row.state, row.asked) for row in rows] == [
        (10, GapState.FILLED, 1),
        (11, GapState.FOUND, 2),
        (12, GapState.FILLED, 1),
    ]


@given(
    known=st.sets(st.integers(0, 60)),
    holes=st.sets(st.integers(0, 60)),
    state=st.sampled_from([state for state in GapState if state is not GapState.FILLED]),
    seen=st.none() | st.builds(lambda one: Span(one * STEP, 60 * STEP), st.integers(0, 60)),
)
def test_after_an_answer_each_hole_is_in_one_row_and_each_row_was_known_or_is_a_hole(
    known, holes, state, seen
):
    gaps = [Gap(span, state, 1, 2, 2) for span in spans_of(at(known), STEP)]

    rows = settle(gaps, spans_of(at(holes), STEP), STEP, 5, evidence=Evidence(seen, 0))

    missing = [row.span for row in rows if row.state is not GapState.FILLED]
    filled = [row.span for row in rows if row.state is GapState.FILLED]
    assert sorted(times(missing)) == at(holes)
    assert sorted(times(filled)) == at(known - holes)
    assert all(row.state is not GapState.FETCHING for row in rows)


def test_the_parts_of_a_row_outside_of_what_was_asked_for_stay_as_they_are():
    gap = Gap(Span(0, 9 * STEP), GapState.FOUND, 1, 2, 3)

    outside, inside = cut(gap, Span(4 * STEP, 5 * STEP), STEP)

    assert [part.span for part in outside] == [Span(0, 3 * STEP), Span(6 * STEP, 9 * STEP)]
    assert inside == Gap(Span(4 * STEP, 5 * STEP), GapState.FOUND, 1, 2, 3)
    assert all(part.asked == 2 for part in outside)
