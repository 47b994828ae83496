"""What a strategy answers about a frame of candles, taken apart so that two answers can be compared."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trader.core.signal import SignalKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from trader.strategies.strategy import Strategy

_KINDS = [kind.value for kind in SignalKind]
_SAID = ("signal", "reason")
# What a trader logs with a signal, beside its indicators.
_TAKEN = {"candle", "decision", "event", "price"}


class Violated(Exception):
    """A property does not hold: what was found, and at which candle where it is one."""

    def __init__(self, told: str, timestamp: int | None = None) -> None:
        super().__init__(told)
        self.timestamp = timestamp


@dataclass(frozen=True, slots=True)
class Answer:
    """The columns of an answer: text for `signal` and `reason`, numbers for the indicators."""

    timestamp: NDArray[np.int64]
    said: Mapping[str, NDArray[Any]]
    indicators: Mapping[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.timestamp)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two answers say something else for the first time."""

    row: int
    timestamp: int
    column: str
    left: str
    right: str


def ask(strategy: Strategy, frame: pd.DataFrame) -> Answer:
    """The strategy's answer about these candles.

    Raises:
        Violated: it has none, or not one row with a signal, a reason and numbers for each candle.
    """
    try:
        rows: object = strategy.evaluate(frame)
    except Exception as error:  # a user's strategy may raise anything
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise Violated(
            f"expected an answer about {len(frame)} candles, found {type(error).__name__}: {error} "
            f"({place.filename} line {place.lineno})"
        ) from error
    if not isinstance(rows, pd.DataFrame) or not rows.index.equals(frame.index):
        found = (
            f"{len(rows)} rows or another index"
            if isinstance(rows, pd.DataFrame)
            else f"a {type(rows).__name__}"
        )
        raise Violated(
            f"expected a DataFrame with one row for each of {len(frame)} candles, found {found}"
        )
    names = [str(name) for name in rows.columns]
    if not set(_SAID) <= set(names) or len(set(names)) != len(names):
        raise Violated(
            f"expected the columns signal, reason and one for each indicator, found {', '.join(names)}"
        )
    if taken := sorted(_TAKEN & set(names)):
        raise Violated(f"`{taken[0]}`: expected an indicator with another name, which is taken")
    rows = rows.set_axis(names, axis="columns")
    timestamp = frame.index.to_numpy()
    return Answer(
        timestamp,
        {name: _text(rows[name]) for name in _SAID},
        {name: _numbers(rows[name], timestamp) for name in names if name not in _SAID},
    )


def require_sense(answer: Answer, warmup: int) -> None:
    """Looks at every row.

    Raises:
        Violated: a signal is none, a reason is no text, or a row that cannot count yet does not hold.
    """
    rows = zip(answer.timestamp.tolist(), answer.said["signal"], answer.said["reason"], strict=True)
    for row, (timestamp, signal, reason) in enumerate(rows):
        if not (isinstance(signal, str) and signal in _KINDS):
            raise Violated(f"`signal`: expected {', '.join(_KINDS)}, found {signal!r}", timestamp)
        if not (isinstance(reason, str) and reason):
            raise Violated(f"`reason`: expected words, found {reason!r}", timestamp)
        if row < warmup - 1 and signal != SignalKind.HOLD.value:
            raise Violated(
                f"`signal`: expected hold at the first {warmup - 1} candles (`warmup` - 1), found {signal}",
                timestamp,
            )


def first_difference(
    left: Answer,
    right: Answer,
    *,
    start: int = 0,
    allowed: Mapping[str, NDArray[np.float64]] | None = None,
) -> Difference | None:
    """Where `right`, which may be shorter, first says something else than `left` from row `start` on.

    Indicators come before signal and reason, which are made of them.

    Args:
        left: an answer.
        right: another one about the same first candles.
        start: the first row to compare.
        allowed: how much an indicator of `left` may differ, row by row. None: not at all.

    Raises:
        Violated: they have different columns.
    """
    if list(left.indicators) != list(right.indicators):
        raise Violated(
            f"expected the same columns every time, found {', '.join(left.indicators) or 'none'} and "
            f"{', '.join(right.indicators) or 'none'}"
        )
    end = len(right)
    first: Difference | None = None
    for name in (*left.indicators, *_SAID):
        if name in _SAID:
            ours, theirs = left.said[name][start:end], right.said[name][start:]
            unequal = ours != theirs
        else:
            ours, theirs = left.indicators[name][start:end], right.indicators[name][start:]
            limit = 0.0 if allowed is None else allowed[name][start:end]
            unequal = differs(ours, theirs, limit)
        row = int(unequal.argmax()) if len(unequal) else 0
        if len(unequal) and unequal[row] and (first is None or start + row < first.row):
            first = Difference(
                start + row,
                int(left.timestamp[start + row]),
                name,
                shown(ours[row]),
                shown(theirs[row]),
            )
    return first


def differs(left: Any, right: Any, limit: Any) -> Any:
    """Whether numbers differ by more than `limit`; having no value equals having none."""
    with np.errstate(invalid="ignore"):
        near = (left == right) | (np.abs(left - right) <= limit)
    return ~(near | (np.isnan(left) & np.isnan(right)))


def usual_size(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """How large an indicator is around each row: the mean of what it was over a window, but for its sign."""
    sizes = pd.Series(np.where(np.isfinite(values), np.abs(values), np.nan))
    mean = sizes.rolling(window, min_periods=1).mean().to_numpy()
    size: NDArray[np.float64] = np.nan_to_num(np.fmax(sizes.to_numpy(), mean))
    return size


def change(before: pd.DataFrame, after: pd.DataFrame) -> Violated | None:
    """What a strategy did to its candles, if anything."""
    for name in [*before.columns, *after.columns]:
        if name not in after.columns or name not in before.columns:
            done = "removes" if name in before.columns else "adds"
            return Violated(f"evaluate {done} a column of its candles: `{name}`; copy them first")
    if not after.index.equals(before.index):
        return Violated("evaluate changes the index of its candles; copy them first")
    for name in before.columns:
        unequal = differs(before[name].to_numpy(), after[name].to_numpy(dtype=float), 0.0)
        if unequal.any():
            row = int(unequal.argmax())
            was, now = float(before[name].iloc[row]), float(after[name].iloc[row])
            return Violated(
                f"`{name}` is {shown(was)} before evaluate and {shown(now)} after it; copy the candles first",
                int(before.index[row]),
            )
    return None


def shown(value: object) -> str:
    """A value for people."""
    if isinstance(value, float):
        return "no value" if np.isnan(value) else f"{value:.12g}"
    return repr(value)


def _text(column: pd.Series[Any]) -> NDArray[Any]:
    """As objects, with one None for all the ways in which a value can be missing."""
    return column.astype(object).where(column.notna(), None).to_numpy()


def _numbers(column: pd.Series[Any], timestamp: NDArray[np.int64]) -> NDArray[np.float64]:
    """An indicator as a trader reads it, by `float`.

    Raises:
        Violated: it cannot be.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy(dtype=np.float64)
    values: list[float] = []
    for at, value in zip(timestamp.tolist(), column, strict=True):
        try:
            values.append(float(value))
        except (TypeError, ValueError):
            raise Violated(
                f"`{column.name}`: expected a number or NaN, found {value!r}", at
            ) from None
    return np.array(values, dtype=np.float64)
