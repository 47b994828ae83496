from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfiller.planner import Span, gathered, spans_of, subtract, windows
from tests.backfiller.surroundings import STEP, at, times

places = st.integers(0, 200)
subsets = st.sets(places)


@given(stored=subsets, most=st.integers(1, 50))
def test_what_is_asked_for_is_exactly_what_is_missing_in_windows_of_at_most_so_many(stored, most):
    wanted = Span(0, 200 * STEP)

    asked = windows(subtract([wanted], spans_of(at(stored), STEP), STEP), STEP, most)

    assert sorted(times(asked)) == at(set(range(201)) - stored)
    assert all(window.count(STEP) <= most for window in asked)


@given(stored=subsets, most=st.integers(1, 50))
def test_windows_come_newest_first(stored, most):
    asked = windows(subtract([Span(0, 200 * STEP)], spans_of(at(stored), STEP), STEP), STEP, most)

    assert asked == sorted(asked, reverse=True)


@given(wanted=subsets, stored=subsets, excused=subsets)
def test_subtracting_spans_is_subtracting_sets_whether_or_not_what_is_taken_overlaps(
    wanted, stored, excused
):
    taken = spans_of(at(stored), STEP) + spans_of(at(excused), STEP)

    assert times(subtract(spans_of(at(wanted), STEP), taken, STEP)) == at(wanted - stored - excused)


@given(numbers=subsets)
def test_spans_of_open_times_hold_those_times_and_touch_nowhere(numbers):
    spans = spans_of(at(numbers), STEP)

    assert times(spans) == at(numbers)
    assert all(later.first - earlier.last > STEP for earlier, later in itertools.pairwise(spans))


@given(missing=subsets, most=st.integers(1, 50))
def test_gathered_windows_hold_every_hole_in_no_more_calls_than_asking_for_each(missing, most):
    spans = spans_of(at(missing), STEP)

    asked = gathered(spans, STEP, most)

    assert set(times(spans)) <= set(times(asked))
    assert len(times(asked)) == len(set(times(asked)))
    assert all(window.count(STEP) <= most for window in asked)
    assert len(asked) <= len(windows(spans, STEP, most))


def test_a_thousand_scattered_holes_are_a_few_calls():
    holes = [Span(number * 3 * STEP, number * 3 * STEP) for number in range(1000)]

    assert len(gathered(holes, STEP, 300)) == 10


def test_a_span_that_ends_before_it_begins_cannot_be_made():
    with pytest.raises(ValueError, match="expected first <= last"):
        Span(2, 1)
