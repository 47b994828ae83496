"""Which backups stay: a pure function, tried on any set of times and over a year of days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlewell.backup.scheme import Scheme
from common.errors import ConfigurationError

times = st.sets(
    st.integers(1_704_067_200, 1_830_297_600).map(  # 2024 to 2027
        lambda seconds: datetime.fromtimestamp(seconds, UTC)
    ),
    min_size=1,
    max_size=60,
)
counts = st.integers(0, 6)
schemes = st.builds(Scheme, counts, counts, counts, counts)
PERIODS = {
    "daily": lambda time: time.date(),
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
}


@given(times, schemes)
def test_the_newest_always_stays(made, scheme):
    assert max(made) in scheme.kept(made)


@given(times, schemes)
def test_every_period_that_is_kept_has_its_newest_backup(made, scheme):
    kept = scheme.kept(made)
    for name, period in PERIODS.items():
        newest = {}
        for time in sorted(made):
            newest[period(time)] = time
        wanted = sorted(newest.values(), reverse=True)[: getattr(scheme, name)]
        assert set(wanted) <= kept


@given(times, schemes)
def test_no_more_stay_than_the_scheme_asks_for(made, scheme):
    asked = max(scheme.last, 1) + scheme.daily + scheme.weekly + scheme.monthly
    assert len(scheme.kept(made)) <= min(asked, len(made))


@given(times, schemes)
def test_what_was_kept_is_kept_again(made, scheme):
    kept = scheme.kept(made)
    assert scheme.kept(kept) == kept


@given(times, schemes, times)
def test_removing_early_loses_nothing_that_is_kept_later(made, scheme, later):
    """Prune after each backup, or only at the end: what stays is the same."""
    kept: set[datetime] = set()
    for time in sorted(made | later):
        kept = scheme.kept(kept | {time})
    assert kept == scheme.kept(made | later)


def test_a_year_of_daily_backups_leaves_a_week_of_days_five_weeks_and_twelve_months():
    kept: set[datetime] = set()
    first = datetime(2025, 1, 1, 3, tzinfo=UTC)
    for day in range(500):
        kept = Scheme().kept(kept | {first + timedelta(days=day)})
    last = first + timedelta(days=499)  # 2026-05-15, a Friday
    days = {last - timedelta(days=age) for age in range(7)}
    sundays = {last - timedelta(days=5 + 7 * age) for age in range(4)}
    month_ends = {
        datetime(year, month, 1, 3, tzinfo=UTC) - timedelta(days=1)
        for year, month in [(2025, m) for m in range(7, 13)] + [(2026, m) for m in range(1, 6)]
    }
    assert kept == days | sundays | month_ends


@pytest.mark.parametrize("name", ["last", "daily", "weekly", "monthly"])
def test_a_scheme_of_less_than_nothing_is_refused(name):
    with pytest.raises(ConfigurationError, match=rf"keep {name}: expected 0 or more, found -1"):
        Scheme(**{name: -1})
