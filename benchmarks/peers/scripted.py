"""vectorbt and backtesting.py: libraries, so each is used by a script of some lines, as its user would write it.

The scripts read the candles from a CSV file, and print all the figures that their library has of a backtest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.peers.task import STAKE, STOP_LOSS, Outcome, Run, Trip

if TYPE_CHECKING:
    from benchmarks.made_up import Columns
    from benchmarks.peers.environment import Environment
    from benchmarks.peers.task import Task

_SCRIPTS = Path(__file__).parent / "theirs"


def backtesting_py(environment: Environment, task: Task) -> Run:
    """Writes the candles for backtesting.py."""
    return _script(environment, task, "backtesting_rsi.py")


def vectorbt(environment: Environment, task: Task) -> Run:
    """Writes the candles for vectorbt on numba, which is what `pip install vectorbt` gives."""
    return _script(environment, task, "vectorbt_rsi.py", "numba")


def vectorbt_rust(environment: Environment, task: Task) -> Run:
    """The same on the engine of `vectorbt[rust]`, wherever that has what is asked for."""
    return _script(environment, task, "vectorbt_rsi.py", "auto")


def _script(environment: Environment, task: Task, script: str, *more: str) -> Run:
    candles, told = task.folder / "candles.csv", task.folder / "told.json"
    _write(task.candles, candles)
    return Run(
        command=(
            environment.python,
            str(_SCRIPTS / script),
            str(candles),
            str(STAKE),
            str(STOP_LOSS),
            *more,
        ),
        telling=("--tell", str(told)),
        outcome=lambda _: _outcome(told),
        # Compiled functions are kept, but not beyond this run: the first one has to compile.
        settings={"NUMBA_CACHE_DIR": str(task.folder / "compiled")},
    )


def _write(candles: Columns, path: Path) -> None:
    names = ("timestamp", "open", "high", "low", "close", "volume")
    pl.DataFrame(dict(zip(names, candles, strict=True))).write_csv(path)


def _outcome(told: Path) -> Outcome:
    found = json.loads(told.read_text(encoding="utf-8"))
    trips = tuple(Trip(entry, left) for entry, left in found["trips"])
    return Outcome(found["net_profit"], trips, found.get("again_s"))
