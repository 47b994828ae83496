"""Rows of Parquet and feather (Arrow IPC) files, a slice at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from backfiller.files.errors import BadFile
from backfiller.files.formats import Format
from backfiller.files.frame import BLOCK_ROWS, COLUMNS, NUMBERS, Block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMES = ("timestamp", "timestamp_ms", "date", "open_time")
_FREE_ROWS, _ROWS_A_BYTE = 1_000_000, 2  # six numbers of a candle take some 15 bytes
_MOST_ROWS = 50_000_000  # five times the minutes since the first market
_NAMED = 200  # characters of polars' own words


def columnar(path: Path, kind: Format) -> Iterator[Block]:
    """The rows of a Parquet or feather file, times in milliseconds; places are row numbers from 1.

    A time is an integer count of milliseconds, or a date and time (naive ones are UTC).

    Raises:
        BadFile: it is no such file, lacks a column, or a column does not hold numbers.
    """
    try:
        scan = pl.scan_parquet(path) if kind is Format.PARQUET else pl.scan_ipc(path)
        rows = scan.select(_columns(path, scan.collect_schema()))
        _require_few(path, scan)
        start = 0
        while (frame := rows.slice(start, BLOCK_ROWS).collect()).height:
            yield Block(frame, start + 1)
            start += frame.height
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        said = " ".join(str(error).split())[:_NAMED]
        raise BadFile(f"{path}: expected a {kind.value} file, found: {said}") from None


def _require_few(path: Path, scan: pl.LazyFrame) -> None:
    """A few bytes can stand for any number of equal rows, which are read by the group.

    Raises:
        BadFile: it holds far more rows than a file of that size has any reason to.
    """
    rows = scan.select(pl.len()).collect().item()
    if rows > max(_FREE_ROWS, path.stat().st_size * _ROWS_A_BYTE) or rows > _MOST_ROWS:
        raise BadFile(
            f"{path}: expected at most {_ROWS_A_BYTE} rows a byte and {_MOST_ROWS:,} in all, found {rows:,}"
        )


def _columns(path: Path, schema: pl.Schema) -> list[pl.Expr]:
    time = next((name for name in _TIMES if name in schema), None)
    missing = [name for name in NUMBERS if name not in schema]
    if time is None or missing:
        lacking = ", ".join([*(["timestamp"] if time is None else []), *missing])
        found = ",".join(schema)[:120]
        raise BadFile(
            f"{path}: expected the columns {', '.join(COLUMNS)}, found no {lacking} in {found!r}"
        )
    for name in NUMBERS:
        if not schema[name].is_numeric():
            raise BadFile(f"{path}: {name}: expected numbers, found {schema[name]}")
    return [
        _milliseconds(path, time, schema[time]),
        *(pl.col(name).cast(pl.Float64) for name in NUMBERS),
    ]


def _milliseconds(path: Path, name: str, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return pl.col(name).dt.epoch("ms").alias("timestamp")
    if kind.is_integer():
        return pl.col(name).cast(pl.Int64).alias("timestamp")
    raise BadFile(f"{path}: {name}: expected times or whole milliseconds, found {kind}")
