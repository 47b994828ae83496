"""Why a strategy says something else of a window today: its candles are not what they were."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from common.times import parse_time, utc
from trader.audit.difference import Cause
from trader.core.signal import Signal, SignalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from common.revisions import Revision
    from trader.audit.saying import OnItsWindow
    from trader.backtest.candles import Candles
    from trader.ledger.written import SignalRow
    from trader.roles import Row

_MISSING = re.compile(r"(\d+) of \d+ candles missing, the first at (.{16}) UTC")
_WARMING_UP = re.compile(r"warming up: (\d+) of \d+ candles")
_AT_ONCE_MS = 2000  # a candle may have been revised while it was being evaluated

Found = tuple[Cause | None, str]
_UNKNOWN: Found = (None, "")


class CandleCauses:
    """The causes that lie in one partition's candles.

    A revision counts as the cause if the row is what the strategy says of the values from before it.
    """

    def __init__(
        self,
        candles: Candles,
        window: OnItsWindow,
        revisions: Sequence[tuple[int, Revision]],
    ) -> None:
        self._candles = candles
        self._window = window
        self._revisions = revisions
        self._times = set(candles.timestamp.tolist())

    def of_row(
        self, place: int, row: SignalRow, today: Signal, fits: Callable[[Signal], bool]
    ) -> Found:
        """Why a row is not what the strategy says today; `fits` tells whether it is what that says."""
        first, last = self._window.window(place)
        for since in (row.created_at, row.created_at - _AT_ONCE_MS):
            old, told = self._before_revisions(first, last, since)
            if old and fits(self._window.signal_if(place, old)):
                return Cause.REVISED, told
        return self._of_holes(row, today, first, fits)

    def of_no_candle(self, row: SignalRow) -> Found:
        """Why the candle of a row is not there."""
        if not len(self._candles) or row.timestamp < self._candles.timestamp[0]:
            return Cause.NOT_STORED, ""
        return _UNKNOWN

    def _before_revisions(self, first: int, last: int, since: int) -> tuple[dict[int, Row], str]:
        """The candles of a window that were revised since then, as they were, by their open times; and in words."""
        old: dict[int, Row] = {}
        told = ""
        for found_at, revision in self._revisions:
            candle = revision.old
            if found_at > since and first <= candle.timestamp <= last:
                values = (candle.open, candle.high, candle.low, candle.close, candle.volume)
                old.setdefault(candle.timestamp, (candle.timestamp, *values))
                told = told or f"that of {utc(candle.timestamp)}, found {utc(found_at)}"
        return old, told

    def _of_holes(
        self, row: SignalRow, today: Signal, first: int, fits: Callable[[Signal], bool]
    ) -> Found:
        then, now = _missing(row.reason), _missing(today.reason)
        first_missing = _first_missing(row.reason)
        not_evaluated = Signal(SignalKind.HOLD, row.timestamp, today.price, row.reason)
        is_there = then > now or first_missing in self._times
        if then and is_there and fits(not_evaluated):
            return Cause.FILLED_IN, row.reason
        if now > then and len(self._candles) and self._candles.timestamp[0] > first:
            return Cause.NOT_STORED, today.reason
        return _UNKNOWN


def lacked(timestamp: int, then: str, now: str) -> bool:
    """Whether a window lacked a candle then that it has now, by the reasons that a strategy was not asked."""
    first = _first_missing(then)
    return first is not None and first <= timestamp and _missing(then) > _missing(now)


def _first_missing(reason: str) -> int | None:
    """The open time of the first candle that is missing."""
    match = _MISSING.fullmatch(reason)
    return None if match is None else _time(match[2])


def _missing(reason: str) -> int:
    """How many candles a reason says are missing; as good as any number where that is warming up."""
    if match := _MISSING.fullmatch(reason):
        return int(match[1])
    return 1 if _WARMING_UP.fullmatch(reason) else 0


def _time(text: str) -> int | None:
    try:
        return parse_time(text)
    except ValueError:
        return None
