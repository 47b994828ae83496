"""What is drawn of a long history: few points, and all that stand out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.backtest.page.sampling import drawn, group_size, ranges

VALUES = st.lists(
    st.one_of(st.floats(-1e9, 1e9), st.just(float("nan"))), min_size=1, max_size=200
).map(lambda values: np.array(values, dtype=float))
GROUPS = st.integers(1, 30)


@given(VALUES, GROUPS)
def test_no_group_loses_its_lowest_or_its_highest(values, groups):
    places = drawn(values, groups=groups)
    size = group_size(len(values), groups)
    for start in range(0, len(values), size):
        group = values[start : start + size]
        some = group[np.isfinite(group)]
        shown = values[places[(places >= start) & (places < start + size)]]
        assert (
            len(shown) == 0 if not len(some) else (min(shown), max(shown)) == (min(some), max(some))
        )


@given(VALUES, GROUPS)
def test_points_are_values_in_order_and_few(values, groups):
    places = drawn(values, groups=groups)
    assert np.isfinite(values[places]).all()
    assert (np.diff(places) > 0).all()
    assert len(places) <= 2 * groups + 2
    some = np.flatnonzero(np.isfinite(values))
    if len(some):
        assert (places[0], places[-1]) == (some[0], some[-1])


@given(st.integers(1, 200), GROUPS)
def test_a_history_that_is_short_enough_is_drawn_whole(length, groups):
    if length <= 2 * groups:
        assert drawn(np.arange(length, dtype=float), groups=groups).tolist() == list(range(length))
        assert group_size(length, groups) == 1


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=200), GROUPS)
def test_bars_reach_from_the_lowest_low_to_the_highest_high(lows, groups):
    low = np.array(lows)
    high = low * 1.5
    middles, lowest, highest = ranges(low, high, groups)
    assert len(middles) == len(lowest) == len(highest) <= groups
    assert (lowest.min(), highest.max()) == (low.min(), high.max())
    assert (np.diff(middles) > 0).all()
    if len(low) <= groups:
        assert (lowest.tolist(), highest.tolist()) == (low.tolist(), high.tolist())


@given(VALUES, GROUPS, st.data())
def test_what_is_always_drawn_is_drawn(values, groups, data):
    always = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=5))
    places = drawn(values, always, groups)
    assert {place for place in always if np.isfinite(values[place])} <= set(places.tolist())


def test_a_spike_of_one_candle_in_half_a_million_is_drawn():
    values = np.full(500_000, 100.0)
    values[123_456] = 1.0
    assert 123_456 in drawn(values)
    assert values[drawn(values)].min() == pytest.approx(1.0)
