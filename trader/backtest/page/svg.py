"""One chart as SVG.

Lines are in a plot of their own, which is stretched to whatever width there is: its units are candles and a power
of ten of the value, whole numbers that say what was drawn. All that must not be stretched (marks, ticks, words) is
placed in percent. So it fits a phone and a wide screen without a program, and the program that zooms changes
nothing but the plot's window and these places.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from trader.backtest.page.sampling import drawn, ranges
from trader.backtest.page.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trader.backtest.page.scale import Times

_EDGE = 0.04  # of the width: half of what a time takes
_PIXELS_PER_TICK = 30
_MANY_MARKS = 300  # from there on they are small


@dataclass(frozen=True, slots=True)
class Line:
    """A column of values, one for each candle that was decided on; NaN where there is none."""

    name: str
    values: NDArray[np.float64]
    style: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign at a candle: `shape` is the id of one in `SHAPES`."""

    shape: str
    timestamp: int
    value: float


@dataclass(frozen=True, slots=True)
class Pane:
    """One chart over the time that all share.

    `decimals` are told of a value that is read off; `from_zero` fills what is between a line and 0; `fixed` keeps its
    lowest and highest however far one zooms in.
    """

    key: str
    title: str
    about: str
    lines: Sequence[Line]
    height: int
    decimals: int
    suffix: str = ""
    low_high: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    levels: Sequence[float] = ()
    marks: Sequence[Mark] = ()
    from_zero: bool = False
    fixed: bool = False


# Up for in, down for out, hollow for a loss: told apart without colours too. The tip is where the price is.
SHAPES = (
    '<defs><path id="entry" d="M0 1l4.5 8h-9z"/><path id="exit" d="M0-1l4.5-8h-9z"/>'
    '<path id="loss" d="M0-1l4.5-8h-9z"/></defs>'
)


def as_svg(pane: Pane, times: Times, always: Sequence[int] = ()) -> str:
    """The chart. A line too long to be drawn whole goes through the candles at the places `always`."""
    scale = _scale(pane)
    plot = [
        *([] if pane.low_high is None else [_bars(pane.low_high, times, scale)]),
        *(_line(line, times, scale, always, from_zero=pane.from_zero) for line in pane.lines),
        *(_level(level, times, scale) for level in pane.levels),
    ]
    dense = " dense" if len(pane.marks) > _MANY_MARKS else ""
    fixed = ' data-fixed=""' if pane.fixed else ""
    parts = [
        f'<svg class="pane{dense}" role="img" aria-labelledby="{pane.key}-title {pane.key}-about" width="100%" '
        f'height="{pane.height}" data-high="{scale.high}" data-exponent="{scale.exponent}" '
        f'data-decimals="{min(pane.decimals, scale.decimals)}" data-suffix="{pane.suffix}"{fixed}>',
        f'<title id="{pane.key}-title">{escape(pane.title)}</title>',
        f'<desc id="{pane.key}-about">{escape(pane.about)}</desc>',
        SHAPES if pane.marks else "",
        _grid(pane, times, scale),
        f'<svg class="plot" width="100%" height="100%" preserveAspectRatio="none" '
        f'viewBox="-0.5 0 {times.span} {scale.height}">',
        *plot,
        "</svg>",
        *_level_names(pane, scale),
        _marks(pane.marks, times, scale),
        "</svg>",
    ]
    return "\n".join(filter(None, parts))


def _scale(pane: Pane) -> Scale:
    columns = [line.values for line in pane.lines]
    columns += list(pane.low_high or ())
    columns.append(np.array([*pane.levels, *(mark.value for mark in pane.marks)], dtype=float))
    if pane.from_zero:
        columns.append(np.zeros(1))
    found = [column[np.isfinite(column)] for column in columns]
    lows, highs = ([float(edge(some)) for some in found if len(some)] for edge in (np.min, np.max))
    return Scale.of(min(lows, default=0.0), max(highs, default=1.0))


def _grid(pane: Pane, times: Times, scale: Scale) -> str:
    """Faint lines with their values at the right and their times below."""
    across = [
        f'<line x2="100%" y1="{_percent(share)}" y2="{_percent(share)}"/>'
        f'<text x="100%" dx="6" y="{_percent(share)}" dy=".32em">{name}{pane.suffix}</text>'
        for share, name in scale.ticks(pane.height // _PIXELS_PER_TICK)
    ]
    down = [
        f'<line x1="{_percent(share)}" x2="{_percent(share)}" y2="100%"/>'
        f'<text class="time{_place(at, share)}" x="{_percent(share)}" y="100%" dy="14">{name}</text>'
        for at, (share, name) in enumerate(times.ticks())
    ]
    return f'<g class="grid" aria-hidden="true">{"".join([*across, *down])}</g>'


def _place(at: int, share: float) -> str:
    """Every second time gives way on a narrow screen; one at the left edge begins there."""
    return " odd" * (at % 2) + " edge" * (share < _EDGE)


def _line(line: Line, times: Times, scale: Scale, always: Sequence[int], *, from_zero: bool) -> str:
    """A path in steps from point to point; it pauses where there is no value."""
    places = drawn(line.values, always)
    path = ""
    if len(places):
        across, down = times.slots[places], scale.down(line.values[places])
        nothing = np.cumsum(~np.isfinite(line.values))[places]
        pauses = np.flatnonzero(np.diff(nothing)) + 1
        steps = np.stack([np.diff(across, prepend=0), np.diff(down, prepend=0)], axis=1)
        path = "".join(_run(run) for run in np.split(steps, pauses)).replace(" -", "-")
        if from_zero:
            path += f"V{scale.down(np.zeros(1))[0]}H{across[0]}z"
    return f'<path class="line {line.style}" data-name="{escape(line.name)}" d="{path}"/>'


def _run(steps: NDArray[np.int64]) -> str:
    """A single value is a dot: a step of nothing, which round ends make visible."""
    (across, down), rest = steps[0], steps[1:]
    walk = " ".join(map(str, rest.ravel().tolist())) if len(rest) else "0 0"
    return f"m{across} {down}l{walk}"


def _bars(
    low_high: tuple[NDArray[np.float64], NDArray[np.float64]], times: Times, scale: Scale
) -> str:
    """From the lowest to the highest price of each candle, or of each group."""
    middles, low, high = ranges(*low_high)
    top, bottom = scale.down(high), scale.down(low)
    across = np.diff(times.slots[middles], prepend=0)
    down = np.diff(top, prepend=0)
    down[1:] -= (bottom - top)[:-1]  # from where the bar before it ended
    columns = (across.tolist(), down.tolist(), (bottom - top).tolist())
    path = "".join(f"m{x} {y}v{length}" for x, y, length in zip(*columns, strict=True))
    return f'<path class="bars" d="{path.replace(" -", "-")}"/>'


def _level(level: float, times: Times, scale: Scale) -> str:
    return f'<path class="level" d="M-0.5 {scale.down(np.array([level]))[0]}h{times.span}"/>'


def _level_names(pane: Pane, scale: Scale) -> list[str]:
    return [
        f'<text class="level" aria-hidden="true" data-value="{level!r}" x="4" dy="-3" '
        f'y="{_percent(scale.share(level))}">{level:,.10g}{pane.suffix}</text>'
        for level in pane.levels
    ]


def _marks(marks: Sequence[Mark], times: Times, scale: Scale) -> str:
    if not marks:
        return ""
    signs = "".join(
        f'<use href="#{mark.shape}" x="{_percent(times.share(mark.timestamp))}" '
        f'y="{_percent(scale.share(mark.value))}"/>'
        for mark in marks
    )
    return f'<g class="marks" aria-hidden="true">{signs}</g>'


def _percent(share: float) -> str:
    return f"{100 * share:.5f}".rstrip("0").rstrip(".") + "%"
