"""Two market days in about half a minute; `python -m benchmarks.long_run` is the same at length."""

from __future__ import annotations

from tests.accelerated.plan import Plan, partitions
from tests.accelerated.run import Run


def test_after_days_of_faults_and_kills_the_database_is_the_exchanges_truth(tmp_path):
    plan = Plan(
        days=2.0,
        partitions=partitions(12),
        seed=3,
        speed=5400.0,
        rate=0.05,
        kills=2,
    )
    outcome = Run(plan, tmp_path, print).run(settle_within_s=45.0)
    assert outcome.verdict.is_good, outcome.verdict
    assert len(outcome.suffered) > 5, "expected most kinds of faults to have struck"
    assert outcome.verdict.counts["holes explained"] > 0
