"""kill -9 of one daemon after the other under load, and whether anything that was acknowledged is lost.

    python -m benchmarks.kills [--kills 200] [--seed 1] [--traders 8] [--speed 1200]

Starts a practice exchange at that speed, the backfiller with ten partitions of three exchanges, and traders on paper, all
as processes. Traders, backfiller and exchange are killed by turns from the seed, most of them within a tenth of a second
after somebody has committed, and started again at once, as compose does. Meanwhile a reader keeps every row that it sees.
At the end each of those rows is still there as it was; all signals and fills that the traders have logged are in their
books, once; the file and its keys are sound; every candle is the exchange's own and has its signal; positions and cash are
the sum of the trades; and `python -m trader audit` is clean for each. The exit status is 1 if not.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from scripts.local_suite import DaemonEnded
from tests.load.kills import KillPlan, KillRun
from tests.load.plan import Fleet


def main() -> int:
    """The program. Returns its exit status."""
    options = _options()
    fleet = Fleet(options.traders, partitions=10, ticker_days=90)
    plan = KillPlan(fleet, options.kills, options.seed, options.speed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the processes, too
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            run = KillRun(plan, folder, lambda line: print(line, flush=True))
            outcome = run.run(settle_within_s=options.settle_within)
        except DaemonEnded as error:
            print(f"BAD: {error}")
            return 1
    killed = ", ".join(f"{name} {count}" for name, count in sorted(outcome.kills.items()))
    print(
        f"{plan.kills} kills (seed {plan.seed}) in {outcome.killed_s:.0f} s: {killed}; "
        f"all had caught up {outcome.settled_s:.1f} s after the last one"
    )
    print(f"verdict: {outcome.verdict}")
    return 0 if outcome.verdict.is_good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--traders", type=int, default=8)
    parser.add_argument("--speed", type=float, default=1200.0, help="market seconds in a second")
    parser.add_argument("--settle-within", type=float, default=120.0, help="seconds")
    parser.add_argument("--folder", type=Path, help="keep database and logs here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
