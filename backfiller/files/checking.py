"""The law of `common.candle.Candle`, and that of a candle's time, for a block of rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backfiller.files.frame import COLUMNS, NUMBERS, PRICES
from common.candle import FIRST_MARKET, LEAST_PRICE, MOST_PRICE, MOST_VOLUME
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from backfiller.files.frame import Block

_ENOUGH_TO_TELL = 20  # rows; that many minutes on a grid of five by chance: once in 10^14


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows of a block that can be candles, and the others with `place` and `reason`."""

    good: pl.DataFrame
    rejected: pl.DataFrame


def check(block: Block, timeframe: Timeframe, now: int) -> Checked:
    """Parts the rows of a block; those that hold nothing at all (blank lines) are passed over.

    Args:
        block: rows with times in milliseconds.
        timeframe: on whose grid they must lie.
        now: by this machine's clock: a candle must have closed by then.
    """
    placed = block.rows.with_row_index("place", block.first).filter(
        ~pl.all_horizontal(pl.col(*COLUMNS).is_null())
    )
    judged = placed.with_columns(reason=_reason(timeframe, now))
    good = judged.filter(pl.col("reason").is_null())
    rejected = judged.filter(pl.col("reason").is_not_null())
    return Checked(good.drop("reason"), rejected)


def coarser(good: pl.DataFrame, timeframe: Timeframe) -> Timeframe | None:
    """The longer timeframe that all these candles seem to be of; None if they are of this one.

    Hourly candles lie on the grid of minutes too, so each of them alone would pass as a minute's.
    """
    if good.height < _ENOUGH_TO_TELL:
        return None
    longer = [other for other in Timeframe if other.milliseconds > timeframe.milliseconds]
    fitting = [other for other in longer if (good["timestamp"] % other.milliseconds == 0).all()]
    return fitting[-1] if fitting else None


def _reason(timeframe: Timeframe, now: int) -> pl.Expr:
    """Why a row is no candle; null if it is one. The first that holds is told."""
    time, step = pl.col("timestamp"), timeframe.milliseconds
    numbers, prices = pl.col(*NUMBERS), pl.col(*PRICES)
    body = pl.col("open", "close")
    laws = {
        "a missing value": pl.any_horizontal(pl.col(*COLUMNS).is_null()),
        "not a finite number": pl.any_horizontal(~numbers.is_finite()),
        "a price not above 0": pl.any_horizontal(prices <= 0),
        "a volume below 0": pl.col("volume") < 0,
        "a number beyond any market's": pl.any_horizontal(
            prices < LEAST_PRICE, prices > MOST_PRICE, pl.col("volume") > MOST_VOLUME
        ),
        "not low <= open, close <= high": pl.any_horizontal(
            body < pl.col("low"), body > pl.col("high")
        ),
        "off the grid": time % step != 0,
        "before 2009": time < FIRST_MARKET,
        "not closed yet": time > timeframe.newest_closed(now),
    }
    reason = pl.lit(None, pl.String)
    for words, broken in reversed(laws.items()):
        reason = pl.when(broken).then(pl.lit(words)).otherwise(reason)
    return reason
