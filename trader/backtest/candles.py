"""Past candles, for a backtest or a check: as columns, out of the database with its archive, or out of a CSV file."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from common.archive import BadArchive
from common.candle import BadMarketData, Candle
from common.errors import ConfigurationError
from common.history import History
from common.market_data import MarketData
from common.shown import named, shown
from common.text_file import TooLong, lines_of
from common.times import parse_time, utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from common.database import Database
    from common.partition import Partition
    from common.timeframe import Timeframe
    from trader.roles import Row

_LONGEST_LINE = 65_536  # characters
_MOST_ROWS = 10_000_000  # nineteen years of minutes
COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Candles:
    """Closed candles in order. From the one at `first` on there are decisions; those before it warm up."""

    timeframe: Timeframe
    timestamp: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    first: int = 0

    @classmethod
    def of(cls, rows: Iterable[Row], timeframe: Timeframe, *, since: int | None = None) -> Candles:
        """Candles out of rows that are in order."""
        # As one row of floats, which hold a time in milliseconds exactly: the fastest way out of a cursor.
        table = np.fromiter(chain.from_iterable(rows), dtype=np.float64).reshape(-1, len(COLUMNS))
        timestamp = table[:, 0].astype(np.int64)
        opened, high, low, close, volume = map(np.ascontiguousarray, table[:, 1:].T)
        first = 0 if since is None else int(np.searchsorted(timestamp, since))
        return cls(timeframe, timestamp, opened, high, low, close, volume, first)

    def __len__(self) -> int:
        return len(self.timestamp)

    @property
    def decided(self) -> int:
        """At how many of them there are decisions."""
        return len(self) - self.first

    @property
    def missing(self) -> int:
        """How many are missing between the first decision and the last candle."""
        span = int(self.timestamp[-1] - self.timestamp[self.first])
        return span // self.timeframe.milliseconds + 1 - self.decided

    def at(self, place: int) -> Candle:
        """One of them."""
        return Candle(
            self.timestamp.item(place),
            self.open.item(place),
            self.high.item(place),
            self.low.item(place),
            self.close.item(place),
            self.volume.item(place),
        )

    def part(self, places: slice) -> Candles:
        """Those at these places, all of them to be decided on."""
        columns = (getattr(self, name)[places] for name in COLUMNS)
        return Candles(self.timeframe, *columns)

    def runs(self) -> Iterator[slice]:
        """The places of the candles between which none is missing, run by run."""
        steps = np.diff(self.timestamp)
        edges = np.flatnonzero(steps != self.timeframe.milliseconds) + 1
        bounds = [0, *edges.tolist(), len(self)]
        return (slice(start, end) for start, end in pairwise(bounds))


def from_database(
    database: Database, partition: Partition, warmup: int, since: int | None, until: int | None
) -> Candles:
    """The stored and archived candles that opened from `since` to `until`, and what warms up before them.

    Raises:
        ConfigurationError: there are none, an archive file is damaged or cannot be read in this installation.
    """
    start = None if since is None else since - (warmup - 1) * partition.timeframe.milliseconds
    candles = stored(database, partition, start, until, since=since)
    return _some(candles, f"some of {partition}", since, until)


def stored(
    database: Database,
    partition: Partition,
    start: int | None,
    until: int | None,
    *,
    since: int | None = None,
) -> Candles:
    """The stored and archived candles that opened from `start` to `until`; decided on are those from `since` on.

    Raises:
        ConfigurationError: an archive file is damaged or cannot be read in this installation.
    """
    history, timeframe = History(database), partition.timeframe
    if history.has_archive(partition):
        try:
            return Candles.of(history.candles(partition, start, until), timeframe, since=since)
        except BadArchive as error:
            raise ConfigurationError(str(error)) from None
    end = sys.maxsize if until is None else until
    with MarketData(database).reading(partition, start or 0, end) as rows:
        return Candles.of(rows, timeframe, since=since)


def from_csv(
    file: Path, timeframe: Timeframe, warmup: int, since: int | None, until: int | None
) -> Candles:
    """The candles of a CSV file with the columns of `COLUMNS`; times in milliseconds UTC or ISO 8601.

    Raises:
        ConfigurationError: it cannot be read, has no such candles, or a row is no candle or out of order.
    """
    start = None if since is None else since - (warmup - 1) * timeframe.milliseconds
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [
                row
                for row in _parsed(
                    csv.reader(lines_of(lines, longest=_LONGEST_LINE)), file, timeframe
                )
                if (start is None or row[0] >= start) and (until is None or row[0] <= until)
            ]
    except (OSError, UnicodeDecodeError, TooLong, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"--csv: expected a CSV file that can be read, found {file}: {why}"
        ) from None
    return _some(Candles.of(rows, timeframe, since=since), f"some in {file}", since, until)


def _some(candles: Candles, what: str, since: int | None, until: int | None) -> Candles:
    if candles.decided > 0:
        return candles
    span = "".join(
        f" {word} {utc(time)}"
        for word, time in (("since", since), ("until", until))
        if time is not None
    )
    raise ConfigurationError(f"candles: expected {what}{span}, found none")


def _parsed(lines: Iterator[list[str]], file: Path, timeframe: Timeframe) -> Iterator[Row]:
    header = [name.strip().lower() for name in next(lines, [])]
    if header != list(COLUMNS):
        raise ConfigurationError(
            f"{file} line 1: expected {','.join(COLUMNS)}, found {named(','.join(header)) if any(header) else 'nothing'}"
        )
    before = -1
    for number, fields in enumerate(lines, start=2):
        if not fields:
            continue
        if number > _MOST_ROWS:
            raise ConfigurationError(f"--csv: expected at most {_MOST_ROWS:,} rows, found more")
        try:
            row = _row(fields)
        except (ValueError, BadMarketData) as error:
            raise ConfigurationError(f"{file} line {number}: {error}") from None
        if row[0] % timeframe.milliseconds or row[0] <= before:
            raise ConfigurationError(
                f"{file} line {number}: expected a {timeframe} candle that opened after the one before it, "
                f"found {utc(row[0])}"
            )
        before = row[0]
        yield row


def _row(fields: list[str]) -> Row:
    """A checked candle.

    Raises:
        BadMarketData: no market can have had it.
        ValueError: a field is missing, or is no number or time.
    """
    if len(fields) != len(COLUMNS):
        raise ValueError(f"expected {len(COLUMNS)} fields, found {len(fields)}")
    timestamp = parse_time(fields[0])
    opened, high, low, close, volume = map(_number, fields[1:])
    Candle(timestamp, opened, high, low, close, volume)
    return timestamp, opened, high, low, close, volume


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, found {shown(text)}") from None
