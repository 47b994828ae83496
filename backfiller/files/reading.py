"""A file of any format as blocks of rows with times in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from backfiller.files.columnar import columnar
from backfiller.files.delimited import delimited, freqtrade_json
from backfiller.files.formats import Format
from backfiller.files.frame import Block
from backfiller.files.text import tail_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Binance wrote microseconds from 2025 on. As milliseconds this is the year 5138, as microseconds 1973.
_FIRST_MICROSECOND = 100_000_000_000_000


def read(path: Path, kind: Format) -> Iterator[Block]:
    """The rows of a file in their order. Memory does not grow with the file.

    Raises:
        BadFile: the file is not what its format says; names the line or row where there is one.
    """
    if kind in (Format.PARQUET, Format.FEATHER):
        return columnar(path, kind)
    tail = tail_of(path)  # a packed file that is damaged is known before a row of it is stored
    if kind is Format.JSON:
        return freqtrade_json(path, tail)
    blocks = delimited(path, kind)
    to_milliseconds = _TO_MILLISECONDS.get(kind)
    if to_milliseconds is None:
        return blocks
    return (Block(block.rows.with_columns(to_milliseconds), block.first) for block in blocks)


def _binance() -> pl.Expr:
    """Microseconds that are no whole millisecond stay as they are, to be rejected as off the grid."""
    time = pl.col("timestamp")
    is_micro = (time >= _FIRST_MICROSECOND) & (time % 1000 == 0)
    return pl.when(is_micro).then(time // 1000).otherwise(time).alias("timestamp")


_TO_MILLISECONDS = {
    Format.BINANCE: _binance(),
    Format.KRAKEN: (pl.col("timestamp") * 1000).alias("timestamp"),
}
