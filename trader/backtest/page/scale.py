"""The two directions of a chart: time in candles, values in whole units; and the ticks of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trader.backtest.candles import Candles

_LEVELS = 1e6  # at least; and at most ten times as many, which single precision of a browser still tells apart
_MARGIN = 0.04  # of the range, above and below, so that no line touches the edge
_STANDS_STILL = 1e-6  # of the values: less is the noise of their last digits
_STILL_MARGIN = 0.01  # of the values
_MOST_TICKS = 8
_HOURS = (1 / 12, 0.25, 0.5, 1, 2, 4, 6, 12, 24, 48, 96, 168, 336)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MONTH_H = 31 * 24


@dataclass(frozen=True, slots=True)
class Times:
    """Where a candle is drawn: its distance from the first decision, in candles."""

    start: int
    step: int
    slots: NDArray[np.int64]

    @classmethod
    def of(cls, candles: Candles) -> Times:
        """The times of the candles that were decided on."""
        decided = candles.timestamp[candles.first :]
        start, step = int(decided[0]), candles.timeframe.milliseconds
        return cls(start, step, (decided - start) // step)

    @property
    def span(self) -> int:
        """How many candles there could be: each is as wide as one, missing or not."""
        return int(self.slots[-1]) + 1

    def share(self, timestamp: int) -> float:
        """How far a candle's middle is from the left edge: 0 to 1."""
        return ((timestamp - self.start) / self.step + 0.5) / self.span

    def ticks(self) -> list[tuple[float, str]]:
        """Some round times, each with its share and its name."""
        first = datetime.fromtimestamp(self.start / 1000, UTC)
        last = first + timedelta(milliseconds=self.step * (self.span - 1))
        hours = (last - first) / timedelta(hours=1) / _MOST_TICKS
        step = next((step for step in _HOURS if step >= hours), None)
        found = _months(first, last, hours) if step is None else _hours(first, last, step)
        return [(self.share(round(time.timestamp() * 1000)), name) for time, name in found]


@dataclass(frozen=True, slots=True)
class Scale:
    """Values as whole numbers of a power of ten, so that what is read off a chart is the value rounded."""

    low: int
    high: int
    exponent: int

    @classmethod
    def of(cls, low: float, high: float) -> Scale:
        """A scale on which values from `low` to `high` fit."""
        spread, size = high - low, max(abs(low), abs(high))
        stands = spread <= _STANDS_STILL * size
        margin = (_STILL_MARGIN * size or 1.0) if stands else _MARGIN * spread
        exponent = math.floor(math.log10((spread + 2 * margin) / _LEVELS))
        bounds = np.array([low - margin, high + margin])
        units = _whole(bounds, exponent)
        return cls(int(units[0]), int(units[1]), exponent)

    @property
    def height(self) -> int:
        """From the lowest to the highest, in units."""
        return self.high - self.low

    @property
    def decimals(self) -> int:
        """Of a value on this scale."""
        return max(0, -self.exponent)

    def down(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """How far values are below the upper edge, in units: as SVG counts."""
        return self.high - _whole(values, self.exponent)

    def share(self, value: float) -> float:
        """How far a value is below the upper edge: 0 to 1."""
        return float(self.high - value / 10.0**self.exponent) / self.height

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Some round values, each with its share and its name."""
        low, high = (edge * 10.0**self.exponent for edge in (self.low, self.high))
        least = (high - low) / most
        power = math.floor(math.log10(least))
        step, power = next(
            (digit, at)
            for at in (power, power + 1)
            for digit in (1, 2, 5)
            if digit * 10.0**at >= least * (1 - 1e-9)
        )
        unit = step * 10.0**power
        values = [k * unit for k in range(math.ceil(low / unit), math.floor(high / unit) + 1)]
        return [(self.share(value), f"{value:,.{max(0, -power)}f}") for value in values]


def _whole(values: NDArray[np.float64], exponent: int) -> NDArray[np.int64]:
    scaled = values * 10.0**-exponent if exponent <= 0 else values / 10.0**exponent
    return np.rint(scaled).astype(np.int64)


def _hours(first: datetime, last: datetime, step: float) -> Iterator[tuple[datetime, str]]:
    """Times of day, or days from the first midnight on."""
    length = timedelta(hours=step)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    form = "%m-%d %H:%M" if step < 24 else "%Y-%m-%d"  # noqa: PLR2004 - hours of a day
    time = midnight
    while time <= last:
        if time >= first:
            yield time, time.strftime(form)
        time += length


def _months(first: datetime, last: datetime, hours: float) -> Iterator[tuple[datetime, str]]:
    """First days of months or years."""
    step = next((step for step in _MONTHS if step * _MONTH_H >= hours), _MONTHS[-1])
    form = "%Y" if step >= 12 else "%Y-%m"  # noqa: PLR2004 - months of a year
    year_step = max(1, step // 12)
    month = first.year // year_step * year_step * 12
    while (time := datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)) <= last:
        if time >= first:
            yield time, time.strftime(form)
        month += step
