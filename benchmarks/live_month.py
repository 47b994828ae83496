"""A simulated month of three live traders: random faults, kills with -9, and at the end books against the exchange.

    python -m benchmarks.live_month [--days 30] [--seed 1] [--speed 1200] [--rate 0.03] [--kills 40]

Starts a practice exchange at that speed, the backfiller, and a live trader at each of Binance, Coinbase and
Kraken, all as processes, in random weather on market data and on accounts alike. Traders, backfiller and exchange
are killed at moments from the seed, most of them amid an order. When the market days are over the weather ends,
the traders settle and are stopped, and the books of each are compared with the record that the exchange itself
has kept: every order, every trade to its last digit, every balance; and a signal for every candle. Prints that
verdict, how many requests suffered what, the kills, and the traders' resident memory. The exit status is 1 if the
verdict is bad.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.local_suite import DaemonEnded
from tests.accelerated_live.plan import LivePlan
from tests.accelerated_live.run import LiveRun, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping


def main() -> int:
    """The program. Returns its exit status."""
    options = _options()
    plan = LivePlan(options.days, options.seed, options.speed, options.rate, options.kills)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the processes, too
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            run = LiveRun(plan, folder, lambda line: print(line, flush=True))
            outcome = run.run(settle_within_s=options.settle_within)
        except DaemonEnded as error:
            print(f"BAD: {error}")
            return 1
    _report(plan, outcome, time.monotonic() - began)
    return 0 if outcome.verdict.is_good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1200.0, help="market seconds in a second")
    parser.add_argument("--rate", type=float, default=0.03, help="share of requests with a fault")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--settle-within", type=float, default=300.0, help="seconds")
    parser.add_argument("--folder", type=Path, help="keep database and logs here")
    return parser.parse_args()


def _report(plan: LivePlan, outcome: Outcome, took_s: float) -> None:
    print(
        f"{plan.days:g} market days, speed {plan.speed:g}, seed {plan.seed}, {plan.rate:.1%} of requests "
        f"struck, {plan.kills} kills; {took_s / 60:.1f} minutes, settled {outcome.settled_s:.1f} s after the weather"
    )
    print(f"verdict: {outcome.verdict}")
    print(f"audit: {outcome.audit}")
    print(f"struck by the weather: {_listed(outcome.suffered)}")
    print(f"orders struck besides: {_listed(outcome.orders_struck)}")
    print(f"questions about accounts struck besides: {_listed(outcome.questions_struck)}")
    print(f"killed: {_listed(outcome.kills)}")
    print(f"events: {_listed(outcome.events)}")
    for name, sizes in outcome.memory.items():
        print(
            f"resident memory of {name}: median {statistics.median(sizes):.1f} MB, "
            f"at its end {sizes[-1]:.1f} MB, at most {max(sizes):.1f} MB"
        )


def _listed(counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()) if count)
    return told or "none"


if __name__ == "__main__":
    sys.exit(main())
