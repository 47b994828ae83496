"""Which charts a report has: price with entries and exits, the strategy's indicators, equity, drawdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from common.times import utc
from trader.backtest.page.svg import Line, Mark, Pane
from trader.core.order import Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from trader.backtest.result import Result
    from trader.strategies.drawing import Drawing

_MOST_DECIMALS = 12
_MOST_MARKS = 10_000  # trades: a browser that is to move more of them is slow
_LOOKED_AT = 2_000  # closes: enough to know in which steps a market's prices are
_MONEY_DECIMALS = {True: 2, False: 8}  # whether the balance is of a size that is counted in cents
_CENTS_FROM = 100


def panes_of(
    result: Result, indicators: Mapping[str, NDArray[np.float64]], drawing: Drawing
) -> list[Pane]:
    """The charts, in the order in which they are read."""
    decided = {name: column[result.candles.first :] for name, column in indicators.items()}
    on_price = {name: column for name, column in decided.items() if name in drawing.on_price}
    apart = {name: column for name, column in decided.items() if name not in drawing.on_price}
    equity = result.equity()
    return [
        _price(result, on_price),
        *_indicators(apart, drawing.levels, result),
        _equity(result, equity),
        _drawdown(result, equity),
    ]


def places_of_trades(result: Result) -> list[int]:
    """Where lines have to be exact: the candle of each trade that has a sign, and the one it was decided at."""
    first = result.candles.first
    places = [fill.place - first for fill in result.fills[-_MOST_MARKS:]]
    return sorted({at for place in places for at in (place - 1, place) if at >= 0})


def money_decimals(result: Result) -> int:
    """How exact a sum of money is told: to cents, or to what a balance in BTC is counted in."""
    return _MONEY_DECIMALS[result.terms.starting_balance >= _CENTS_FROM]


def _price(result: Result, on_price: Mapping[str, NDArray[np.float64]]) -> Pane:
    candles = result.candles
    first = candles.first
    close, low, high = (column[first:] for column in (candles.close, candles.low, candles.high))
    symbol = result.terms.symbol
    marks = list(_marks(result))
    entries = sum(fill.trade.side is Side.BUY for fill in result.fills)
    told = f"{entries:,} entries, {len(result.fills) - entries:,} exits"
    if len(marks) < len(result.fills):
        told += f"; the newest {len(marks):,} have signs"
    decimals = price_decimals(result)
    lines = [Line("close", close, "close")]
    lines += [
        Line(name, column, f"extra extra{at % 4}")
        for at, (name, column) in enumerate(on_price.items())
    ]
    return Pane(
        key="price",
        title=f"Price of {symbol} with entries and exits",
        about=f"Line: close. Bars: from low to high. {_extremes(result, close, decimals, low, high)} "
        f"{told}.",
        lines=lines,
        height=320,
        decimals=decimals,
        low_high=(low, high),
        marks=marks,
    )


def _marks(result: Result) -> Iterator[Mark]:
    """A sign for each trade, in the candle it happened in."""
    for fill in result.fills[-_MOST_MARKS:]:
        shape = "entry" if fill.trade.side is Side.BUY else "exit" if fill.profit >= 0 else "loss"
        timestamp = int(result.candles.timestamp[fill.place])
        yield Mark(shape, timestamp, float(fill.trade.price))


def _indicators(
    columns: Mapping[str, NDArray[np.float64]],
    levels: Mapping[str, tuple[float, ...]],
    result: Result,
) -> Iterator[Pane]:
    for at, (name, column) in enumerate(columns.items()):
        told = ", ".join(f"{level:g}" for level in levels.get(name, ()))
        decimals = _readable(column)
        at_levels = f" Levels: {told}." if told else ""
        yield Pane(
            key=f"indicator{at}",
            title=name,
            about=f"{_extremes(result, column, decimals)}{at_levels}",
            lines=[Line(name, column, "indicator")],
            height=150,
            decimals=decimals,
            levels=levels.get(name, ()),
            fixed=bool(levels.get(name)),
        )


def _equity(result: Result, equity: NDArray[np.float64]) -> Pane:
    quote, decimals = result.terms.symbol.partition("/")[2], money_decimals(result)
    return Pane(
        key="equity",
        title=f"Equity in {quote}",
        about=f"Cash and the position at each close. Level: the starting balance. "
        f"{_extremes(result, equity, decimals)}",
        lines=[Line("equity", equity, "equity")],
        height=200,
        decimals=decimals,
        levels=(float(result.terms.starting_balance),),
    )


def _drawdown(result: Result, equity: NDArray[np.float64]) -> Pane:
    peak = np.maximum.accumulate(np.maximum(equity, float(result.terms.starting_balance)))
    below = 100 * (equity / peak - 1)
    worst = int(below.argmin())
    when = utc(int(result.candles.timestamp[result.candles.first + worst]))
    return Pane(
        key="drawdown",
        title="Drawdown in percent of the highest equity so far",
        about=f"The largest is {abs(below[worst]):,.2f} %, on {when} UTC.",
        lines=[Line("drawdown", below, "drawdown")],
        height=150,
        decimals=2,
        suffix=" %",
        from_zero=True,
    )


def _extremes(
    result: Result,
    column: NDArray[np.float64],
    decimals: int,
    low: NDArray[np.float64] | None = None,
    high: NDArray[np.float64] | None = None,
) -> str:
    """In words, for those who do not see the line."""
    if not np.isfinite(column).any():
        return "No value."
    told = []
    for word, values, find in (
        ("Lowest", column if low is None else low, np.nanargmin),
        ("Highest", column if high is None else high, np.nanargmax),
    ):
        at = int(find(np.where(np.isfinite(values), values, np.nan)))
        when = utc(int(result.candles.timestamp[result.candles.first + at]))
        told.append(f"{word} {values[at]:,.{decimals}f} on {when} UTC.")
    finite = column[np.isfinite(column)]
    return f"{' '.join(told)} First {finite[0]:,.{decimals}f}, last {finite[-1]:,.{decimals}f}."


def price_decimals(result: Result) -> int:
    """In how many decimals the market's prices are written."""
    close = result.candles.close[result.candles.first :]
    some = close[:: max(1, len(close) // _LOOKED_AT)].tolist()
    return min(_MOST_DECIMALS, max(map(_decimals_of, some), default=0))


def _decimals_of(price: float) -> int:
    mantissa, _, exponent = repr(price).partition("e")
    digits = mantissa.partition(".")[2].rstrip("0")
    return max(0, len(digits) - int(exponent or 0))


def _readable(column: NDArray[np.float64]) -> int:
    """As many decimals as tell a thousandth of its range apart."""
    finite = column[np.isfinite(column)]
    spread = float(np.ptp(finite)) if len(finite) else 0.0
    if spread == 0.0:
        return 2
    return int(np.clip(np.ceil(-np.log10(spread / 1e3)), 0, _MOST_DECIMALS))
