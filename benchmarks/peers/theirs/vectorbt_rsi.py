"""vectorbt: buys where the RSI comes back up through 30, sells where it comes back down through 70.

python vectorbt_rsi.py CANDLES STAKE STOP_LOSS ENGINE [--tell FILE]

Prints the portfolio's statistics. FILE is for its round trips, and how long a second simulation takes.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
import vectorbt as vbt

WARMUP = 282  # candles, as the suite's own
WILDER_14 = 27  # an exponential mean of span 27 weighs by 1/14, as Wilder's of 14 does


def main() -> None:
    """Reads, runs, prints."""
    path, stake, stop_loss, engine, *telling = sys.argv[1:]
    vbt.settings["engine"] = engine
    candles = pd.read_csv(path)
    # Without a time zone: with one, vectorbt needs 0.8 s for each column it wraps.
    candles.index = pd.to_datetime(candles.pop("timestamp"), unit="ms")
    rsi = vbt.RSI.run(candles["close"], window=WILDER_14, ewm=True).rsi
    before = rsi.shift()
    warm = pd.Series(range(len(rsi)), index=rsi.index) >= WARMUP - 1
    entries = warm & (before < 30) & (rsi >= 30)
    exits = warm & (before > 70) & (rsi <= 70)
    portfolio = _simulated(candles, entries, exits, float(stake), float(stop_loss))
    print(portfolio.stats())
    if telling:
        began = time.perf_counter()
        _simulated(candles, entries, exits, float(stake), float(stop_loss))
        _write(portfolio, candles.index, time.perf_counter() - began, telling[1])


def _simulated(
    candles: pd.DataFrame, entries: pd.Series, exits: pd.Series, stake: float, stop_loss: float
) -> "vbt.Portfolio":
    return vbt.Portfolio.from_signals(
        candles["close"],
        # vectorbt fills in the candle of the signal: the next one's open is the signal a candle later.
        entries.shift(fill_value=False),
        exits.shift(fill_value=False),
        price=candles["open"],
        open=candles["open"],
        high=candles["high"],
        low=candles["low"],
        sl_stop=stop_loss,
        stop_entry_price="price",
        size=stake,
        size_type="value",
        fees=0.001,
        init_cash=10_000.0,
        freq="5min",
    )


def _write(portfolio: "vbt.Portfolio", index: pd.DatetimeIndex, again_s: float, file: str) -> None:
    times = index.as_unit("ms").asi8
    found = portfolio.trades.records
    trips = [
        (int(times[entry]), int(times[left]) if closed else None)
        for entry, left, closed in zip(
            found["entry_idx"], found["exit_idx"], found["status"] == 1, strict=True
        )
    ]
    told = {"net_profit": float(portfolio.total_profit()), "trips": trips, "again_s": again_s}
    Path(file).write_text(json.dumps(told), encoding="utf-8")


main()
