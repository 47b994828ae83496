"""Many traders on one database with a backfiller of 30 partitions: what goes wrong, how long it takes, what it costs.

    python -m benchmarks.load [--traders 10 30 100] [--days 7] [--speed 400] [--seed 1]
    python -m benchmarks.load --containers 30 [--days 7] [--speed 400]

For each number: a practice exchange at that speed, the backfiller with 30 partitions of 5m, 15m and 1h at three exchanges,
and that many traders on paper, each a process. When all trade, the market days begin that are measured; at their end
all are stopped, and judged: no error (an event or a line in a log of level warning or above, a line that is no log line, a
daemon that ended by itself), every candle equal to the exchange's own and with exactly one signal of each of its traders,
each position and cash the sum of the trades. With --containers the traders run through docker compose, as they do for a user.

Prints that verdict; from a candle's commit to its signal's, and how long a ledger's transaction took, from the call to the
end of the commit, both as the writers themselves saw it; processor time, memory and bytes. The exit status is 1 if a
verdict is bad. A faster clock packs more candles into each second, so delays and processor time are of that speed.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.local_suite import DaemonEnded
from tests.load.containers import containers
from tests.load.hosts import Processes, local
from tests.load.plan import Fleet, LoadPlan
from tests.load.run import LoadRun, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.load.hosts import Host


_HEAD = (
    "| traders | candle to signal, median / p99 | ledger transaction, median / p99 | cores of the traders | of the"
    " backfiller | of the machine | memory of the traders, own parts | backfiller, resident | database | grown by |"
    " signals |",
    "|" + "---|" * 11,
)


def main() -> int:
    """The program. Returns its exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the processes, too
    is_good = True
    what, rows = "containers" if options.containers else "processes", [*_HEAD]
    for traders in [options.containers] if options.containers else options.traders:
        plan = LoadPlan(Fleet(traders), options.days, options.speed, options.seed)
        with ExitStack() as stack:
            folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            try:
                host = _host(plan, folder / f"load-{traders}", stack, options)
                outcome = LoadRun(plan, host, lambda line: print(f"  {line}", flush=True)).run()
            except DaemonEnded as error:
                print(f"BAD: {error}")
                return 1
        _report(plan, outcome, what)
        rows.append(_row(plan, outcome))
        is_good &= outcome.verdict.is_good
    print("\n".join(rows))
    return 0 if is_good else 1


def _host(plan: LoadPlan, folder: Path, stack: ExitStack, options: argparse.Namespace) -> Host:
    if options.containers:
        return stack.enter_context(containers(plan, folder))
    return Processes(plan, stack.enter_context(local(plan, folder)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--traders", type=int, nargs="+", default=[10, 30, 100])
    parser.add_argument("--containers", type=int, metavar="TRADERS", help="in containers instead")
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--speed", type=float, default=400.0, help="market seconds in a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep databases and logs here")
    return parser.parse_args()


def _report(plan: LoadPlan, outcome: Outcome, what: str) -> None:
    print(
        f"{plan.fleet.traders} traders as {what}, {plan.fleet.partitions} partitions, {plan.days:g} market days at "
        f"speed {plan.speed:g}: {outcome.measured_s:.0f} s, after {outcome.started_s:.0f} s in which all started"
    )
    print(f"  verdict: {outcome.verdict}")
    print(f"  from a candle's commit to its signal's: {_spread(outcome.delays)}")
    print(f"  a ledger's transaction: {_spread(outcome.commits)}")
    print(
        f"  processor: {outcome.share:.0%} of {os.cpu_count()} cores by the daemons, {outcome.busy:.0%} busy in all; "
        + ", ".join(f"{kind} {one.processor_s:.0f} s" for kind, one in outcome.usage.items())
    )
    for kind, one in outcome.usage.items():
        print(
            f"  memory of {kind}: median {statistics.median(one.resident_mb):.0f} MB resident, "
            f"{statistics.median(one.own_mb):.0f} of its own; at most {one.resident_mb[-1]:.0f}; "
            f"own parts together {sum(one.own_mb):,.0f}"
        )
    grown = outcome.bytes_after - outcome.bytes_before
    print(
        f"  database: {outcome.bytes_after / 1e6:.1f} MB, of which {grown / 1e6:.1f} came meanwhile with "
        f"{_listed(outcome.rows)} rows; WAL {outcome.wal_bytes / 1e6:.1f} MB",
        flush=True,
    )


def _row(plan: LoadPlan, outcome: Outcome) -> str:
    """What grows with the number of traders, in one line of a table."""
    usage, grown = outcome.usage, outcome.bytes_after - outcome.bytes_before
    seconds = outcome.measured_s
    cells = [
        f"{plan.fleet.traders}",
        f"{_share(outcome.delays, 0.5):.0f} / {_share(outcome.delays, 0.99):.0f} ms",
        f"{_share(outcome.commits, 0.5):.1f} / {_share(outcome.commits, 0.99):.0f} ms",
        f"{usage['traders'].processor_s / seconds:.2f}",
        f"{usage['backfiller'].processor_s / seconds:.2f}",
        f"{outcome.share:.0%}",
        f"{sum(usage['traders'].own_mb):,.0f} MB",
        f"{usage['backfiller'].resident_mb[-1]:.0f} MB",
        f"{outcome.bytes_after / 1e6:.1f} MB",
        f"{grown / 1e6:.1f} MB",
        f"{outcome.rows['signals']:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _spread(ordered: list[float]) -> str:
    return (
        f"median {_share(ordered, 0.5):.1f} ms, p99 {_share(ordered, 0.99):.1f} ms, "
        f"worst {_share(ordered, 1):.0f} ms, of {len(ordered):,}"
    )


def _share(ordered: list[float], share: float) -> float:
    """What that share of them stays within."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
