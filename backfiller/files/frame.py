"""The one shape that every file's rows are brought into before anything looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.market_data import Row

PRICES = ("open", "high", "low", "close")
NUMBERS = (*PRICES, "volume")
COLUMNS = ("timestamp", *NUMBERS)
SCHEMA: dict[str, pl.DataType] = {
    "timestamp": pl.Int64(),
    **{name: pl.Float64() for name in NUMBERS},
}
BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a file, in their order, with the columns of SCHEMA; a value may be missing.

    `first` is the place of the first of them in the file, counted from 1.
    """

    rows: pl.DataFrame
    first: int


def frame_of(rows: Iterable[Row]) -> pl.DataFrame:
    """Candles as a frame with the columns of SCHEMA."""
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")
