"""Shows on given candles that a strategy is what it has to be: see `strategy.Strategy`.

A trader evaluates the last `warmup` candles, a backtest a whole history. They say the same if no row depends on
a later candle and the last `warmup` candles are enough. Neither can be tried at each of 100,000 candles of a
history and all that is before it. So the truncated histories are spread evenly over it, and so are the windows,
of which there is one at each candle where the signal changes too: that is where looking ahead pays, and where too
short a memory shows. What is one window's answer and the whole history's at once has seen neither a later candle nor
an older one. Where they are not the same, the truncated history tells which of the two it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from common.errors import ConfigurationError
from trader.evaluation import Evaluation
from trader.strategies.answers import (
    Difference,
    Violated,
    ask,
    change,
    differs,
    first_difference,
    require_sense,
    shown,
    usual_size,
)
from trader.strategies.sampling import cuts, spread, window_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from common.timeframe import Timeframe
    from trader.core.signal import Signal
    from trader.strategies.answers import Answer
    from trader.strategies.strategy import Strategy

LOOKED_INTO = 100  # windows that say something else
ROUNDING = 1e-9  # of an indicator's usual size: two ways to the same sum
WARM = 1e-6  # of it: what may be left of candles before the warm-up
CHANCE = 1000  # at one candle of so many an indicator may be so near to a level that its last digits decide


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one property. `timestamp` is the first candle at which it does not hold."""

    name: str
    holds: bool
    told: str
    timestamp: int | None = None


def check(
    strategy: Strategy, frames: Sequence[pd.DataFrame], timeframe: Timeframe
) -> Iterator[Finding]:
    """One finding after the other, up to the first property that does not hold: the next rest on it.

    Args:
        strategy: what to check.
        frames: candles without a hole, each of more than `warmup` rows.
        timeframe: their length.
    """
    for name, step in _Check(strategy, frames, timeframe).steps():
        try:
            told = step()
        except Violated as found:
            yield Finding(name, holds=False, told=str(found), timestamp=found.timestamp)
            return
        yield Finding(name, holds=True, told=told)


@dataclass(slots=True)
class _Run:
    """Candles without a hole, with what is said of them all at once."""

    frame: pd.DataFrame
    whole: Answer
    size: dict[str, NDArray[np.float64]]
    changed: Violated | None
    windows: dict[int, Signal] = field(default_factory=dict)

    def allowed(self, tolerance: float) -> dict[str, NDArray[np.float64]]:
        return {name: tolerance * size for name, size in self.size.items()}


class _Check:
    def __init__(
        self, strategy: Strategy, frames: Sequence[pd.DataFrame], timeframe: Timeframe
    ) -> None:
        self._strategy = strategy
        self._warmup = strategy.warmup
        self._evaluation = Evaluation(strategy, timeframe)
        self._frames = frames
        self._runs: list[_Run] = []
        self._counted: list[tuple[_Run, int]] = []  # every row that counts
        self._windows: list[tuple[_Run, int]] = []  # those at which a window ends
        self._unlike: list[tuple[_Run, Difference]] = []  # those that are not like the whole

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        return [
            ("answers", self._answers),
            ("input", self._input),
            ("deterministic", self._deterministic),
            ("causal", self._causal),
            ("warm-up", self._warm),
        ]

    def _answers(self) -> str:
        for frame in self._frames:
            handed = frame.copy()
            whole = ask(self._strategy, handed)
            require_sense(whole, self._warmup)
            size = {n: usual_size(v, self._warmup) for n, v in whole.indicators.items()}
            self._runs.append(_Run(frame, whole, size, change(frame, handed)))
        start = self._warmup - 1
        self._counted = [(run, row) for run in self._runs for row in range(start, len(run.whole))]
        signals = np.concatenate([run.whole.said["signal"][start:] for run in self._runs])
        self._windows = [self._counted[place] for place in window_ends(signals)]
        for run, row in self._windows:
            run.windows[row] = self._after_window(run, row)
        return (
            f"{sum(map(len, self._frames)):,} rows of whole histories and {len(self._windows):,} of "
            f"windows: a valid signal, a reason and numbers for each candle"
        )

    def _input(self) -> str:
        for run in self._runs:
            if run.changed is not None:
                raise run.changed
        return f"{sum(map(len, self._frames)):,} candles are unchanged after evaluate"

    def _deterministic(self) -> str:
        for run in self._runs:
            again = ask(self._strategy, run.frame.copy())
            if (found := first_difference(run.whole, again)) is not None:
                raise Violated(
                    f"`{found.column}` is {found.left} at first and {found.right} when asked again",
                    found.timestamp,
                )
        return f"{sum(map(len, self._frames)):,} rows are the same when asked again"

    def _causal(self) -> str:
        truncated = [self._counted[place] for place in cuts(len(self._counted))]
        for run, row in self._windows:
            if (found := self._window_difference(run, row)) is not None:
                self._unlike.append((run, found))
        looked_into = [self._unlike[place] for place in spread(len(self._unlike), LOOKED_INTO)]
        ahead = [
            self._looks_ahead(truncated),
            self._looks_ahead([(run, found.row) for run, found in looked_into]),
        ]
        if any(ahead):
            raise min(filter(None, ahead), key=lambda violated: violated.timestamp or 0)
        blind = len(self._windows) - len(self._unlike) + len(looked_into)
        return (
            f"{len(truncated):,} truncated histories, each row of each, and {blind:,} last rows of "
            "windows: as with the later candles"
        )

    def _warm(self) -> str:
        near: list[Violated] = []
        for run, found in self._unlike:
            unlike = Violated(
                f"`{found.column}` is {found.left} from the whole history and {found.right} from the last "
                f"{self._warmup:,} candles (`warmup`)",
                found.timestamp,
            )
            if not self._is_rounded(run, found):
                raise unlike
            near.append(unlike)
            if len(near) > max(1, len(self._windows) // CHANCE):
                raise near[0]
        told = f"{len(self._windows):,} windows of {self._warmup:,} candles: as the whole history"
        if near:
            told += f", but for {len(near)} where an indicator is so near to a level that its last digits decide"
        return told

    # --- what is compared ---

    def _after_window(self, run: _Run, row: int) -> Signal:
        """What a trader would hear at that candle."""
        window = run.frame.iloc[row + 1 - self._warmup : row + 1]
        try:
            return self._evaluation.signal_after(window)
        except ConfigurationError as error:
            raise Violated(str(error), int(run.whole.timestamp[row])) from error
        except Exception:  # a user's strategy may raise anything: `ask` tells where
            ask(self._strategy, window)
            raise

    def _looks_ahead(self, ends: list[tuple[_Run, int]]) -> Violated | None:
        """The first row that is another one if the candles after one of these rows are not there."""
        for run, row in ends:
            truncated = ask(self._strategy, run.frame.iloc[: row + 1])
            start, allowed = self._warmup - 1, run.allowed(ROUNDING)
            found = first_difference(run.whole, truncated, start=start, allowed=allowed)
            if found is not None:
                after = row - found.row
                without = f"with only the next {after:,}" if after else "without them"
                return Violated(
                    f"`{found.column}` is {found.left} with all later candles and {found.right} {without}: "
                    "it looks ahead",
                    found.timestamp,
                )
        return None

    def _window_difference(self, run: _Run, row: int) -> Difference | None:
        """What a trader would hear against what a backtest reads."""
        signal, whole = run.windows[row], run.whole
        timestamp = int(whole.timestamp[row])
        for name, values in whole.indicators.items():
            heard = signal.indicators.get(name)
            theirs = np.nan if heard is None else heard
            ours = float(values[row])
            ours = ours if np.isfinite(ours) else np.nan  # as a trader takes it
            if differs(ours, theirs, WARM * run.size[name][row]):
                return Difference(row, timestamp, name, shown(ours), shown(theirs))
        for name, heard_text in (("signal", signal.kind.value), ("reason", signal.reason)):
            if (said := whole.said[name][row]) != heard_text:
                return Difference(row, timestamp, name, shown(said), shown(heard_text))
        return None

    def _is_rounded(self, run: _Run, found: Difference) -> bool:
        """Whether what is said may differ because an indicator does, by less than counts."""
        heard = run.windows[found.row].indicators
        return found.column not in run.whole.indicators and any(
            values[found.row] != heard.get(name) and heard.get(name) is not None
            for name, values in run.whole.indicators.items()
        )
