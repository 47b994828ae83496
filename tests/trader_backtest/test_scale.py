"""The ticks and units of a chart, whatever is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trader_backtest.histories import START
from trader.backtest.page.scale import Scale, Times

MINUTE = 60_000
SPANS = st.tuples(st.sampled_from([1, 5, 15, 60, 240, 1440]), st.integers(1, 600_000)).filter(
    lambda span: span[0] * span[1] < 20_000_000  # 38 years
)
RANGES = st.tuples(st.floats(-1e9, 1e9), st.floats(1e-7, 1e9)).map(lambda x: (x[0], x[0] + x[1]))


@given(SPANS)
def test_times_are_few_in_order_and_inside(span):
    minutes, length = span
    times = Times(START, minutes * MINUTE, np.array([0, length - 1]))
    ticks = times.ticks()
    shares = [share for share, _ in ticks]
    assert len(ticks) <= 10
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert len({name for _, name in ticks}) == len(ticks)
    if minutes * (length - 1) >= 10:
        assert len(ticks) >= 2


@given(RANGES)
def test_what_is_read_off_a_line_is_the_value_rounded(edges):
    scale = Scale.of(*edges)
    values = np.linspace(edges[0], edges[1], 50)
    down = scale.down(values)
    assert (down >= 0).all()
    assert (down <= scale.height).all()
    assert 1e6 <= scale.height <= 1.1e7
    read = (scale.high - down) * 10.0**scale.exponent
    assert read == pytest.approx(values, abs=0.51 * 10.0**scale.exponent, rel=1e-12)


@given(RANGES, st.integers(3, 12))
def test_values_at_the_side_are_few_and_inside(edges, most):
    ticks = Scale.of(*edges).ticks(most)
    assert 1 <= len(ticks) <= most + 1
    assert all(-1e-6 <= share <= 1 + 1e-6 for share, _ in ticks)


@pytest.mark.parametrize("value", [0.0, 100.0, -3.0, 1e-9])
def test_a_line_that_does_not_move_is_in_the_middle(value):
    assert Scale.of(value, value).share(value) == pytest.approx(0.5, abs=0.45)
