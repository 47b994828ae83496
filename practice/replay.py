"""A price path from a file of real candles."""

from __future__ import annotations

import csv
import gzip
import itertools
import zlib
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path as FilePath
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np

from common.errors import ConfigurationError
from common.shown import named
from common.text_file import TooLong, lines_of
from practice.candles import Candles, flat_candles, join

if TYPE_CHECKING:
    from practice.noise import Integers

_Row: TypeAlias = tuple[int, tuple[Decimal, ...]]  # the open time; prices and volume

_HEADER = ["timestamp_ms", "open", "high", "low", "close", "volume"]
_FIRST_ROW = 2  # after the header
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_MOST_DECIMALS = 8
_MOST = 10**10  # a price or a volume: with eight decimals it is a whole number of 64 bits
_LAST_MS = 253_402_300_799_999  # the end of the year 9999
_LONGEST_LINE = 65_536  # characters
_FEWEST_ROWS = 2  # the timeframe is the distance between two
_MOST_UNITS = 5_000_000  # nine years of minutes; more is a wrong timestamp


class ReplayedPath:
    """The path through the candles of a file; where one is missing, nothing traded.

    Within a candle the price goes from the open to the extreme that lies nearer in time (the low
    of a rising candle, the high of a falling one), to the other extreme, and to the close. Before
    the first candle and after the last the market stands still.
    """

    def __init__(self, rows: Rows) -> None:
        self.unit_ms = rows.unit_ms
        self.first_ms = rows.first_ms
        self.price_decimals = rows.price_decimals
        self.volume_decimals = rows.volume_decimals
        self._candles = rows.candles

    @property
    def first_price(self) -> float:
        """What the file starts with."""
        return float(self._candles.open[0] / 10.0**self.price_decimals)

    def units(self, first: int, end: int) -> Candles:
        """The candles number `first` to `end` - 1 since 1970, flat where the file has none."""
        offset = self.first_ms // self.unit_ms
        low, high = first - offset, max(first, end) - offset
        size = len(self._candles)
        before = max(0, min(high, 0) - low)
        after = max(0, high - max(low, size))
        return join(
            [
                flat_candles(int(self._candles.open[0]), before),
                self._candles[max(low, 0) : max(high, 0)],
                flat_candles(int(self._candles.close[-1]), after),
            ]
        )

    def groups(self, first: int, end: int, size: int) -> Candles:
        """Those candles, made of `size` each."""
        return self.units(first * size, end * size).grouped(size)

    def knots(self, unit: int) -> Integers:
        """The four corners of one candle, at equal distances in time."""
        one = self.units(unit, unit + 1)
        rising = one.close[0] >= one.open[0]
        turns = (one.low, one.high) if rising else (one.high, one.low)
        return np.concatenate([one.open, *turns, one.close])


@dataclass(frozen=True, slots=True)
class Rows:
    """The candles of a file without holes, the first of which opens at `first_ms`."""

    first_ms: int
    unit_ms: int
    price_decimals: int
    volume_decimals: int
    candles: Candles

    @property
    def end_ms(self) -> int:
        """When the last candle closes."""
        return self.first_ms + len(self.candles) * self.unit_ms


def read_candles(file: str) -> Rows:
    """The candles of a CSV file, plain or compressed with gzip.

    Raises:
        ConfigurationError: it cannot be read, or a row is not as it must be; the message names it.
    """
    try:
        with _opened(file) as lines:
            reader = csv.reader(lines_of(lines, longest=_LONGEST_LINE))
            header = next(reader, [])
            if header != _HEADER:
                raise ConfigurationError(
                    f"--data: {file} row 1: expected {','.join(_HEADER)}, found {named(','.join(header))}"
                )
            rows = [
                _checked(cells, f"--data: {file} row {number}")
                for number, cells in enumerate(islice(reader, _MOST_UNITS + 1), _FIRST_ROW)
            ]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, TooLong, csv.Error) as error:
        raise ConfigurationError(
            f"--data: expected a readable CSV file, found {file}: {error}"
        ) from None
    if len(rows) > _MOST_UNITS:
        raise ConfigurationError(f"--data: {file}: expected at most {_MOST_UNITS} rows, found more")
    if len(rows) < _FEWEST_ROWS:
        raise ConfigurationError(f"--data: {file}: expected at least 2 candles, found {len(rows)}")
    return _without_holes(rows, _unit_ms(rows, file))


def _opened(file: str) -> IO[str]:
    if file.endswith(".gz"):
        return gzip.open(file, "rt", encoding="utf-8", newline="")
    return FilePath(file).open(encoding="utf-8", newline="")


def _checked(cells: list[str], place: str) -> _Row:
    """The numbers of one line of the file: an open time, four prices and a volume."""
    try:
        timestamp_ms, *numbers = int(cells[0]), *(Decimal(cell) for cell in cells[1:])
        opened, high, low, close, volume = (round(number, _MOST_DECIMALS) for number in numbers)
        is_a_candle = 0 < low <= min(opened, close) <= max(opened, close) <= high and volume >= 0
        is_too_large = high > _MOST or volume > _MOST or not 0 <= timestamp_ms <= _LAST_MS
    except (ValueError, IndexError, InvalidOperation):
        raise ConfigurationError(
            f"{place}: expected {len(_HEADER)} numbers, found {named(','.join(cells))}"
        ) from None
    if not is_a_candle:
        raise ConfigurationError(
            f"{place}: expected 0 < low <= open and close <= high, and no volume below 0, "
            f"found {named(','.join(cells))}"
        )
    if is_too_large:
        raise ConfigurationError(
            f"{place}: expected a time since 1970 and no number above {_MOST:,}, "
            f"found {named(','.join(cells))}"
        )
    return timestamp_ms, (opened, high, low, close, volume)


def _unit_ms(rows: list[_Row], file: str) -> int:
    """The timeframe: the smallest distance between two rows, on whose grid all others lie."""
    times = [timestamp_ms for timestamp_ms, _ in rows]
    for number, (before, after) in enumerate(itertools.pairwise(times), _FIRST_ROW + 1):
        if after <= before:
            raise ConfigurationError(
                f"--data: {file} row {number}: expected a time after {before}, found {after}"
            )
    unit_ms = min(after - before for before, after in itertools.pairwise(times))
    if unit_ms % _MINUTE_MS or _DAY_MS % unit_ms:
        raise ConfigurationError(
            f"--data: {file}: expected candles of whole minutes that a day is made of, "
            f"found rows that are {unit_ms} ms apart"
        )
    for number, time_ms in enumerate(times, _FIRST_ROW):
        if time_ms % unit_ms:
            raise ConfigurationError(
                f"--data: {file} row {number}: expected a time that is a multiple of {unit_ms}, "
                f"found {time_ms}"
            )
    if (times[-1] - times[0]) // unit_ms > _MOST_UNITS:
        raise ConfigurationError(
            f"--data: {file}: expected at most {_MOST_UNITS} candles from first to last, "
            f"found times from {times[0]} to {times[-1]}"
        )
    return unit_ms


def _without_holes(rows: list[_Row], unit_ms: int) -> Rows:
    """The same candles with flat ones where some are missing."""
    first_ms = rows[0][0]
    places = np.array([(timestamp_ms - first_ms) // unit_ms for timestamp_ms, _ in rows])
    price_decimals = max(_decimals(number) for _, numbers in rows for number in numbers[:4])
    volume_decimals = max(_decimals(numbers[4]) for _, numbers in rows)
    opened, high, low, close = (
        np.array([int(numbers[column].scaleb(price_decimals)) for _, numbers in rows])
        for column in range(4)
    )
    volume = np.array([int(numbers[4].scaleb(volume_decimals)) for _, numbers in rows])
    size = int(places[-1]) + 1
    newest = np.searchsorted(places, np.arange(size), side="right") - 1  # row at or before a place
    missing = places[newest] != np.arange(size)
    flat = close[newest]
    candles = Candles(
        np.where(missing, flat, opened[newest]),
        np.where(missing, flat, high[newest]),
        np.where(missing, flat, low[newest]),
        flat,
        np.where(missing, 0, volume[newest]),
    )
    return Rows(first_ms, unit_ms, price_decimals, volume_decimals, candles)


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
