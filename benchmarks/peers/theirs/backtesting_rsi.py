"""backtesting.py: buys where the RSI comes back up through 30, sells where it comes back down through 70.

python backtesting_rsi.py CANDLES STAKE STOP_LOSS [--tell FILE]

Prints its statistics; FILE is for its round trips.
"""

import json
import sys
from pathlib import Path

import pandas as pd
from backtesting import Strategy
from backtesting.lib import FractionalBacktest

WARMUP = 282  # candles, as the suite's own
UNIT = 1e-8  # backtesting.py buys whole units only


def wilder_rsi(close: pd.Series, period: int) -> pd.Series:
    """Wilder's RSI; the library has none of its own."""
    change = close.diff()
    up = change.clip(lower=0).ewm(alpha=1 / period, adjust=False).mean()
    down = (-change.clip(upper=0)).ewm(alpha=1 / period, adjust=False).mean()
    rsi = 100 - 100 / (1 + up / down)
    rsi[: WARMUP - 2] = float("nan")  # the library starts where every indicator has a value
    return rsi


class RsiCrossing(Strategy):
    """At most one position, of a fixed stake."""

    stake = 0.0
    stop_loss = 0.0

    def init(self) -> None:
        """Computes the RSI of all candles."""
        self.rsi = self.I(wilder_rsi, self.data.Close.s, 14)

    def next(self) -> None:
        """Orders at a candle's close, for the next open."""
        before, now = self.rsi[-2], self.rsi[-1]
        if self.position:
            if before > 70 >= now:
                self.position.close()
        elif before < 30 <= now:
            price = self.data.Close[-1]
            self.buy(size=int(self.stake / price), sl=price * (1 - self.stop_loss))


def main() -> None:
    """Reads, runs, prints."""
    path, stake, stop_loss, *telling = sys.argv[1:]
    candles = pd.read_csv(path)
    candles.index = pd.to_datetime(candles.pop("timestamp"), unit="ms")
    candles.columns = candles.columns.str.title()
    backtest = FractionalBacktest(
        candles, RsiCrossing, fractional_unit=UNIT, cash=10_000, commission=0.001
    )
    result = backtest.run(stake=float(stake), stop_loss=float(stop_loss))
    print(result)
    if telling:
        _write(result, candles.index, telling[1])


def _write(result: pd.Series, index: pd.DatetimeIndex, file: str) -> None:
    times = index.as_unit("ms").asi8
    trips = [
        (int(times[entry]), int(times[left]))
        for entry, left in zip(
            result["_trades"]["EntryBar"], result["_trades"]["ExitBar"], strict=True
        )
    ]
    still_open = result["_strategy"].trades
    trips += [(int(times[trade.entry_bar]), None) for trade in still_open]
    told = {"net_profit": result["Equity Final [$]"] - 10_000, "trips": trips}
    Path(file).write_text(json.dumps(told), encoding="utf-8")


main()
