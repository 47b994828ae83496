"""The figures of a backtest. Each says how it is defined and where the definition is from.

None where a figure is not defined, such as a win rate without a round trip. Returns are ratios: 0.05 is 5 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trader.backtest.result import Result
    from trader.core.position import Position

_DAY = 86_400_000
_YEAR = 365  # days: these markets do not close


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures that are not sums of money."""

    total_return: float
    cagr: float | None
    max_drawdown: float
    sharpe: float | None
    sortino: float | None
    profit_factor: float | None
    win_rate: float | None
    exposure: float
    average_holding_s: float | None
    monthly_returns: dict[str, float]

    @classmethod
    def of(cls, result: Result) -> Metrics:
        """The figures of a result."""
        candles, equity = result.candles, result.equity()
        start = float(result.terms.starting_balance)
        timestamps = candles.timestamp[candles.first :]
        span = int(timestamps[-1] - timestamps[0]) + candles.timeframe.milliseconds
        returns = daily_returns(timestamps, equity, start)
        return cls(
            total_return=float(result.net_profit / result.terms.starting_balance),
            cagr=cagr(start, float(equity[-1]), span / _DAY),
            max_drawdown=max_drawdown(equity, start),
            sharpe=sharpe(returns),
            sortino=sortino(returns),
            profit_factor=profit_factor(result.closed),
            win_rate=win_rate(result.closed),
            exposure=exposure(result),
            average_holding_s=average_holding_s(result.closed),
            monthly_returns=monthly_returns(timestamps, equity, start),
        )


def daily_returns(
    timestamps: NDArray[np.int64], equity: NDArray[np.float64], start: float
) -> NDArray[np.float64]:
    """The return of each UTC day, from the last equity of the day before to its own last.

    The first day's is from the starting balance. A day without a candle has a return of 0.
    """
    first, last = int(timestamps[0]) // _DAY, int(timestamps[-1]) // _DAY
    ends = (np.arange(first, last + 1) + 1) * _DAY
    at_end = equity[np.searchsorted(timestamps, ends) - 1]
    before = np.concatenate([[start], at_end[:-1]])
    returns: NDArray[np.float64] = at_end / before - 1
    return returns


def monthly_returns(
    timestamps: NDArray[np.int64], equity: NDArray[np.float64], start: float
) -> dict[str, float]:
    """The return of each UTC month, by its name as in "2025-01": from the last equity before it to its own last.

    The first month's is from the starting balance, so that all of them compounded are the total return. A month without
    a candle has a return of 0.
    """
    months = np.array(timestamps[[0, -1]], dtype="datetime64[ms]").astype("datetime64[M]")
    names = np.arange(months[0], months[1] + 1)
    ends = (names + 1).astype("datetime64[ms]").astype(np.int64)
    at_end = equity[np.searchsorted(timestamps, ends) - 1]
    before = np.concatenate([[start], at_end[:-1]])
    returns = (at_end / before - 1).tolist()
    return dict(zip(map(str, names), returns, strict=True))


def cagr(start: float, end: float, days: float) -> float | None:
    """Compound annual growth rate: (end / start) ^ (365 / days) - 1.

    The textbook's, with years of 365 days (Bacon, Practical Portfolio Performance Measurement and Attribution,
    2nd ed. 2008, annualised return). None below one day, where it would say nothing.
    """
    if days < 1 or end <= 0:
        return None
    exponent = math.log(end / start) * _YEAR / days
    return math.expm1(exponent) if exponent < 700 else None  # noqa: PLR2004 - where a float ends


def max_drawdown(equity: NDArray[np.float64], start: float) -> float:
    """The largest 1 - equity / peak, where the peak is the highest equity until then, at closes.

    The starting balance is the first peak (Magdon-Ismail and Atiya, Maximum Drawdown, Risk 17(10), 2004; as a ratio).
    """
    peak = np.maximum.accumulate(np.maximum(equity, start))
    return float(np.max(1 - equity / peak))


def sharpe(returns: NDArray[np.float64]) -> float | None:
    """Mean of the daily returns / their sample standard deviation x sqrt(365); the riskless rate is 0.

    Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21(1), 1994. None without two days or any change.
    """
    if len(returns) < 2:  # noqa: PLR2004
        return None
    deviation = float(np.std(returns, ddof=1))
    return None if deviation == 0 else float(np.mean(returns)) / deviation * math.sqrt(_YEAR)


def sortino(returns: NDArray[np.float64]) -> float | None:
    """Mean of the daily returns / their downside deviation x sqrt(365); the target is 0.

    The downside deviation is sqrt(mean(min(return, 0)^2)) over all days (Sortino and Price, Performance
    Measurement in a Downside Risk Framework, Journal of Investing 3(3), 1994). None without a losing day.
    """
    if len(returns) < 2:  # noqa: PLR2004
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0) ** 2)))
    return None if downside == 0 else float(np.mean(returns)) / downside * math.sqrt(_YEAR)


def profit_factor(closed: Sequence[Position]) -> float | None:
    """Profits of the winning round trips / losses of the losing ones, fees inside.

    Pardo, The Evaluation and Optimization of Trading Strategies, 2nd ed. 2008. None without a losing one.
    """
    profits = [float(position.realised_profit) for position in closed]
    lost = -sum(profit for profit in profits if profit < 0)
    return None if lost == 0 else sum(profit for profit in profits if profit > 0) / lost


def win_rate(closed: Sequence[Position]) -> float | None:
    """The share of round trips with a profit above 0, fees inside (Pardo, as above: percent profitable)."""
    if not closed:
        return None
    return sum(position.realised_profit > 0 for position in closed) / len(closed)


def exposure(result: Result) -> float:
    """The share of candles during which something was held, if only for a part of the candle.

    As "Exposure Time" of backtesting.py, which counts the candles from each entry's to its exit's.
    """
    during = result.held() > 0
    for fill in result.fills:
        if (
            fill.books.position is None
            and fill.trade.timestamp > result.candles.timestamp[fill.place]
        ):
            during[fill.place - result.candles.first] = (
                True  # left within the candle, not at its open
            )
    return float(np.mean(during))


def average_holding_s(closed: Sequence[Position]) -> float | None:
    """The mean time from entry to exit of the round trips, in seconds.

    An exit within a candle counts as at the candle's end, as the candle does not say when.
    """
    if not closed:
        return None
    held = [(position.closed_at or 0) - position.opened_at for position in closed]
    return sum(held) / len(held) / 1000
