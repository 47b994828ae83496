from __future__ import annotations

import itertools

from backfiller.backoff import Backoff


def test_the_wait_grows_with_each_failure_up_to_a_limit():
    backoff, now, waits = Backoff(), 0.0, []
    for _ in range(15):
        assert backoff.fail(now, now, None)
        waits.append(backoff.wait_s(now))
        now = backoff.until

    assert 0.75 <= waits[0] <= 1.25
    assert all(later > earlier for earlier, later in itertools.pairwise(waits[:8]))
    assert max(waits) <= 300 * 1.25


def test_the_exchange_may_ask_for_a_longer_wait():
    backoff = Backoff()
    backoff.fail(0.0, 0.0, 90.0)

    assert backoff.wait_s(0.0) == 90.0


def test_calls_that_fail_together_are_one_failure():
    backoff = Backoff()
    changed = [backoff.fail(0.0, 0.5, None) for _ in range(4)]

    assert changed == [True, False, False, False]
    assert backoff.failures == 1


def test_a_success_ends_it_but_not_that_of_a_call_from_before_the_failure():
    backoff = Backoff()
    backoff.fail(0.0, 1.0, 60.0)

    assert not backoff.succeed(0.0)
    assert backoff.wait_s(1.0) == 60.0
    assert backoff.succeed(61.0)
    assert backoff.wait_s(61.0) == 0.0
