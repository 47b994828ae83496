"""Market days in minutes: random faults, kills with -9, and at the end the database against the truth.

    python -m benchmarks.long_run [--days 30] [--partitions 30] [--seed 1] [--speed 3600] [--rate 0.03]

Starts a practice exchange at that speed with random weather, and the backfiller as a process, which is killed
a few times at moments from the seed. When the market days are over the weather ends; when nothing is missing
any more, every slot of every partition is compared with what the exchange says is true: a candle that is equal,
or a hole that the gap ledger explains. Prints that verdict, how many requests suffered what, the events that
the backfiller wrote, its calls, and its resident memory. The exit status is 1 if the verdict is bad.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.local_suite import DaemonEnded
from tests.accelerated.plan import EXCHANGES, Plan, partitions
from tests.accelerated.run import Outcome, Run

if TYPE_CHECKING:
    from collections.abc import Mapping


def main() -> int:
    """The program. Returns its exit status."""
    options = _options()
    wanted = partitions(options.partitions, tuple(options.exchanges.split(",")))
    plan = Plan(
        options.days,
        wanted,
        options.seed,
        options.speed,
        options.rate,
        options.kills,
        tuple(options.kinds.split(",")) if options.kinds else (),
    )
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            run = Run(plan, folder, lambda line: print(line, flush=True))
            outcome = run.run(settle_within_s=options.settle_within)
        except DaemonEnded as error:
            print(f"BAD: {error}")
            return 1
    _report(plan, outcome)
    return 0 if outcome.verdict.is_good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--partitions", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=3600.0, help="market seconds in a second")
    parser.add_argument("--rate", type=float, default=0.03, help="share of requests with a fault")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--kinds", default="", help="of faults, with commas (default all)")
    parser.add_argument("--exchanges", default=",".join(EXCHANGES))
    parser.add_argument("--settle-within", type=float, default=300.0, help="seconds")
    parser.add_argument("--folder", type=Path, help="keep database and logs here")
    return parser.parse_args()


def _report(plan: Plan, outcome: Outcome) -> None:
    closes = sum(
        (plan.end - plan.first) // partition.timeframe.milliseconds for partition in plan.partitions
    )
    print(
        f"{plan.days:g} market days, {len(plan.partitions)} partitions, speed {plan.speed:g}, "
        f"seed {plan.seed}, {plan.rate:.1%} of requests struck, {plan.kills} kills; settled "
        f"{outcome.settled_s:.1f} s after the weather"
    )
    print(f"verdict: {outcome.verdict}")
    print(f"struck: {_listed(outcome.suffered)}")
    print(f"events: {_listed(outcome.events)}")
    print(f"calls: {_listed(outcome.calls)}")
    print(
        f"candle calls: {outcome.candle_calls:,} for {closes:,} closes, "
        f"{outcome.candle_calls / closes:.2f} a close"
    )
    sizes = outcome.last_process
    third = max(len(sizes) // 3, 1)
    parts = (sizes[1 : third + 1] or sizes, sizes[third : 2 * third] or sizes, sizes[-third:])
    told = ", ".join(
        f"{name} {statistics.median(part):.1f} MB"
        for name, part in zip(("first", "middle", "last"), parts, strict=True)
    )
    print(
        f"resident memory, medians of the thirds of the last process: {told}; at its end "
        f"{sizes[-1]:.1f} MB; the most of any process {max(m for _, _, m in outcome.memory):.1f} MB"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "none"


if __name__ == "__main__":
    sys.exit(main())
