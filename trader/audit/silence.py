"""Looks for candles that should have their signal row, and have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trader.audit.candle_causes import lacked
from trader.audit.difference import NOTHING, Cause, Difference, Kind, words
from trader.audit.saying import InOnePiece, OnItsWindow
from trader.core.signal import SignalKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trader.backtest.candles import Candles
    from trader.ledger.written import Records, SignalRow
    from trader.strategies.strategy import Strategy


def without_signal(
    rows: Sequence[SignalRow], kept_since: int | None, strategy: Strategy, candles: Candles
) -> Iterator[Difference]:
    """The candles between the first and the last of these rows that have none.

    Those before `kept_since` may have been held at, and be forgotten: they count where the strategy says anything else.
    """
    evaluated = [row.timestamp for row in rows]
    first, last = np.searchsorted(candles.timestamp, [evaluated[0], evaluated[-1]]).tolist()
    without = np.setdiff1d(candles.timestamp[first:last], evaluated, assume_unique=True)
    window = OnItsWindow(strategy, candles)
    for place, signal in window.signals(_due(without, kept_since, strategy, candles)):
        timestamp = int(candles.timestamp[place])
        if signal.kind is SignalKind.HOLD and (kept_since is None or timestamp < kept_since):
            continue
        following = rows[int(np.searchsorted(evaluated, timestamp))]
        cause, detail = _why(timestamp, following, window, candles)
        told = f"{signal.kind.value}, {signal.reason}"
        yield Difference(Kind.SIGNAL, timestamp, "row", NOTHING, told, cause, detail)


def without_row(records: Records) -> Iterator[Difference]:
    """The candles before the first and after the last signal that were evaluated, since their equity is there."""
    times = [row.timestamp for row in records.signals]
    first, last = (times[0], times[-1]) if times else (0, -1)
    for timestamp, marks in records.marks.items():
        is_kept = records.kept_since is not None and timestamp >= records.kept_since
        if is_kept and not first <= timestamp <= last:
            told = f"a signal: the equity is {words(marks.equity)}"
            yield Difference(Kind.SIGNAL, timestamp, "row", NOTHING, told)


def _due(
    without: np.ndarray, kept_since: int | None, strategy: Strategy, candles: Candles
) -> list[int]:
    """The places of those that nobody may have forgotten, as far as one piece tells."""
    if not len(without):
        return []
    places = np.searchsorted(candles.timestamp, without)
    start = max(0, int(places[0]) - strategy.warmup + 1)
    said = InOnePiece(strategy, candles.part(slice(start, int(places[-1]) + 1)))
    due = said.signal[places - start] != SignalKind.HOLD.value
    if kept_since is not None:
        due |= without >= kept_since
    return places[due].tolist()  # type: ignore[no-any-return]


def _why(
    timestamp: int, following: SignalRow, window: OnItsWindow, candles: Candles
) -> tuple[Cause | None, str]:
    """A candle that the next signal's window lacked, and lacks no more, came too late to be evaluated."""
    place = int(np.searchsorted(candles.timestamp, following.timestamp))
    if place < len(candles) and candles.timestamp[place] == following.timestamp:
        ((_, today),) = window.signals([place])
        if lacked(timestamp, following.reason, today.reason):
            return Cause.FILLED_IN, f"the next signal lacked it: {following.reason}"
    return None, ""
