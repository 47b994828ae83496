"""The same backtest in this suite, freqtrade, vectorbt and backtesting.py, side by side.

    python -m benchmarks.peers [--candles 50000 500000] [--rounds 3] [--environment .peers] [--bot-seconds 60]

Makes an environment for each program (about 2.7 GB in all, kept for the next time), generates the candles of
benchmarks.backtest, and runs RSI 14 in crossing mode with a 10 % stop in each, as a whole process from its start to
the printed result. The runs of a round follow each other, program by program, so that whatever else the machine
does strikes all alike. A program that cannot be installed or run here is told as such, with the reason.

What the table has of each: wall and processor time (median) and peak of resident memory of its process, round trips
and net profit, how many of Candlewell's round trips it entered in the same candle, and left in the same one too.
docs/BACKTEST.md says in what way their rules differ.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.made_up import columns
from benchmarks.peers import candlewell, freqtrade, scripted
from benchmarks.peers.bot import resident_mb
from benchmarks.peers.comparison import shared
from benchmarks.peers.environment import Environment, NotInstalled, environment
from benchmarks.peers.table import Row, as_table
from benchmarks.peers.task import Peer, Task
from benchmarks.process import ROOT, cost_of
from scripts.local_suite import LocalSuite

if TYPE_CHECKING:
    from benchmarks.peers.task import Outcome, Run
    from benchmarks.process import Cost

_WHOLE, _TRADER = (ROOT / "requirements" / name for name in ("suite.txt", "trader.txt"))
_PINNED = Path(__file__).parent / "requirements"
OURS = Peer("Candlewell", _WHOLE, candlewell.prepare)
FREQTRADE = Peer("freqtrade", _PINNED / "freqtrade.txt", freqtrade.prepare)
VECTORBT = _PINNED / "vectorbt.txt"
PEERS = (
    OURS,
    FREQTRADE,
    Peer("vectorbt, numba", VECTORBT, scripted.vectorbt),
    Peer("vectorbt, Rust", VECTORBT, scripted.vectorbt_rust),
    Peer("backtesting.py", _PINNED / "backtesting_py.txt", scripted.backtesting_py),
)


class NotRun(Exception):
    """A program ended with an error; the message has the end of what it said."""


def main() -> None:
    """Prints what each takes on disk, then a table for each number of candles."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--candles", type=int, nargs="+", default=[50_000, 500_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--environment", type=Path, default=ROOT / ".peers")
    parser.add_argument("--bot-seconds", type=float, default=60.0, help="0 for no freqtrade bot")
    options = parser.parse_args()
    environments = _environments(options.environment.resolve())
    with tempfile.TemporaryDirectory() as name, LocalSuite(Path(name) / "suite") as suite:
        suite.start_exchange()
        for count in options.candles:
            folder = Path(name) / str(count)
            rows = _compared(environments, count, options.rounds, folder, suite.exchange_url)
            print(f"\n{count:,} candles, {options.rounds} rounds\n\n{as_table(rows)}", flush=True)
        bot = environments.get(FREQTRADE.name)
        if bot is not None and options.bot_seconds:
            resident = resident_mb(bot, Path(name), suite.exchange_url, options.bot_seconds)
            print(f"\na freqtrade bot, dry run, after {options.bot_seconds:.0f} s: {resident}")


def _environments(folder: Path) -> dict[str, Environment]:
    """Those that can be made, by the name of the program."""
    made = {}
    for peer in PEERS:
        try:
            made[peer.name] = environment(folder / peer.requirements.stem, peer.requirements)
        except NotInstalled as error:
            print(f"{peer.name}: not run: not installed: {error}", flush=True)
        else:
            print(f"{peer.name}: {made[peer.name].installed_mb:.0f} MB installed", flush=True)
    if OURS.name not in made:
        raise SystemExit("nothing to compare with")
    alone = environment(folder / _TRADER.stem, _TRADER).installed_mb
    print(f"{OURS.name}, only what its trader needs: {alone:.0f} MB installed", flush=True)
    return made


def _compared(
    environments: dict[str, Environment], count: int, rounds: int, folder: Path, exchange_url: str
) -> list[Row]:
    candles = columns(count)
    runs: dict[str, Run] = {}
    first: dict[str, tuple[float, Outcome]] = {}
    for peer in PEERS:
        if peer.name not in environments:
            continue
        own = folder / peer.name
        own.mkdir(parents=True)
        run = peer.prepare(environments[peer.name], Task(candles, own, exchange_url))
        try:
            first[peer.name] = _told(run)
        except NotRun as error:
            print(f"{peer.name}: not run: {error}", flush=True)
        else:
            runs[peer.name] = run
    if OURS.name not in runs:
        raise SystemExit("nothing to compare with")
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for name, run in [*runs.items()] * rounds:
        costs[name].append(cost_of(run.command, {**os.environ, **run.settings}))
    return [_row(name, costs[name], *first[name], first[OURS.name][1]) for name in runs]


def _told(run: Run) -> tuple[float, Outcome]:
    """What came of a first run, and how long that took.

    Raises:
        NotRun: it failed.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [*run.command, *run.telling],
        cwd=ROOT,
        env={**os.environ, **run.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise NotRun(said.splitlines()[-1] if said else f"status {done.returncode}")
    return time.perf_counter() - began, run.outcome(done.stdout)


def _row(name: str, costs: list[Cost], first_s: float, outcome: Outcome, ours: Outcome) -> Row:
    return Row(
        name,
        median(cost.wall_s for cost in costs),
        min(cost.wall_s for cost in costs),
        median(cost.processor_s for cost in costs),
        max(cost.peak_mb for cost in costs),
        first_s,
        outcome,
        shared(ours.trips, outcome.trips),
    )


if __name__ == "__main__":
    main()
