from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfiller.planner import (
    COMPARED,
    Span,
    compared,
    edge,
    gathered,
    joined,
    padded,
    parted,
    spans_of,
    subtract,
    windows,
)
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


@given(stored=subsets, excused=subsets, first=places)
def test_beside_what_is_missing_only_the_newest_few_before_it_are_asked_for_again(
    stored, excused, first
):
    wanted = Span(first * STEP, 200 * STEP)
    there = spans_of(at(stored), STEP)
    taken = joined(there + spans_of(at(excused), STEP), STEP)

    asked = compared(subtract([wanted], taken, STEP), there, STEP)

    missing = set(range(first, 201)) - stored - excused
    again = {time // STEP for time in times(asked)} - missing
    assert missing <= {time // STEP for time in times(asked)}
    assert len(times(asked)) == len(set(times(asked)))
    assert again <= stored
    begins = {number for number in missing if number - 1 not in missing}
    for number in begins - {first}:
        assert {number - 1} & stored <= again
    assert all(any(one < begin <= one + COMPARED for begin in begins) for one in again)


@given(newest=places, last=places, most=st.integers(4, 50))
def test_at_a_close_the_newest_few_stored_candles_are_asked_for_with_the_missing_ones(
    newest, last, most
):
    asked = edge(newest * STEP, last * STEP, STEP, most)

    if newest >= last:
        assert asked is None
        return
    assert asked is not None
    assert asked.last == last * STEP
    assert asked.count(STEP) <= most
    assert asked.first >= 0
    wanted = max(newest - COMPARED + 1, last - most + 1, 0)
    assert asked.first == wanted * STEP


@given(
    first=places,
    size=st.integers(1, 50),
    room=st.integers(0, 50),
    after=st.integers(0, 9),
    wide=st.booleans(),
)
def test_a_window_with_its_neighbours_is_still_one_answer_and_ends_with_the_newest(
    first, size, room, after, wide
):
    window = Span(first * STEP, (first + size - 1) * STEP)
    newest = window.last + after * STEP

    asked = padded(window, STEP, size + room, newest, wide=wide)

    assert asked.first <= window.first <= window.last <= asked.last
    assert asked.first >= 0
    assert asked.last <= newest
    assert asked.count(STEP) <= size + room
    if wide and room >= 2 and after and first:
        assert asked.first < window.first
        assert asked.last > window.last


def test_a_window_that_ends_after_the_newest_candle_is_not_made_shorter():
    assert padded(Span(0, 9), 1, 100, 5, wide=True) == Span(0, 9)


@given(numbers=subsets, others=subsets, moment=places)
def test_joining_and_parting_lose_nothing(numbers, others, moment):
    whole = joined(spans_of(at(numbers), STEP) + spans_of(at(others), STEP), STEP)
    assert times(whole) == at(numbers | others)

    before, after = parted(whole, moment * STEP, STEP)

    assert times(before) == at({one for one in numbers | others if one < moment})
    assert times(after) == at({one for one in numbers | others if one >= moment})
