"""Compares each signal row with what the strategy says of exactly its window."""

from __future__ import annotations

import json
import math
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from trader.audit.candle_causes import CandleCauses
from trader.audit.difference import NOTHING, Difference, Kind
from trader.audit.saying import InOnePiece, OnItsWindow
from trader.audit.silence import without_row, without_signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from common.revisions import Revision
    from trader.audit.configuration import Configurations
    from trader.backtest.candles import Candles
    from trader.backtest.setup import Setup
    from trader.core.signal import Signal
    from trader.ledger.written import Records, SignalRow

_NEARLY = 1e-6  # in one piece a strategy remembers what is older than its window, a little
_SAME = 1e-9


def compare_signals(
    records: Records,
    candles: Candles,
    configurations: Configurations,
    revisions: Sequence[tuple[int, Revision]],
) -> Iterator[Difference]:
    """The differences of signal rows, and the candles that should have one and do not."""
    before: list[SignalRow] = []
    for place, group in groupby(
        records.signals, key=lambda row: configurations.place(row.created_at)
    ):
        setup, some = configurations.setups[place], list(group)
        causes = CandleCauses(candles, OnItsWindow(setup.strategy, candles), revisions)
        there, missing = _places(some, candles.timestamp)
        for row in missing:
            yield Difference(
                *(Kind.SIGNAL, row.timestamp, "candle", _words(row), "no such candle"),
                *causes.of_no_candle(row),
            )
        yield from _rows(there, setup, candles, causes)
        yield from without_signal([*before, *some], records.kept_since, setup.strategy, candles)
        before = some[-1:]
    yield from without_row(records)


def _places(
    rows: Sequence[SignalRow], timestamps: NDArray[np.int64]
) -> tuple[dict[int, SignalRow], list[SignalRow]]:
    """The rows by the places of their candles; and those without a candle."""
    found = np.searchsorted(timestamps, [row.timestamp for row in rows]).tolist()
    there, missing = {}, []
    for row, place in zip(rows, found, strict=True):
        if place < len(timestamps) and timestamps[place] == row.timestamp:
            there[place] = row
        else:
            missing.append(row)
    return there, missing


def _rows(
    rows: Mapping[int, SignalRow], setup: Setup, candles: Candles, causes: CandleCauses
) -> Iterator[Difference]:
    """The rows that differ: looked for in one piece, and judged on their windows."""
    if not rows:
        return
    doubtful = _doubtful(rows, setup, candles)
    for place, signal in OnItsWindow(setup.strategy, candles).signals(doubtful):
        row = rows[place]
        if found := list(_unequal(row, signal)):
            cause, detail = causes.of_row(place, row, signal, partial(_is_equal, row))
            what, written, replayed = (", ".join(column) for column in zip(*found, strict=True))
            yield Difference(Kind.SIGNAL, row.timestamp, what, written, replayed, cause, detail)


def _is_equal(row: SignalRow, signal: Signal) -> bool:
    return not any(_unequal(row, signal))


def _doubtful(rows: Mapping[int, SignalRow], setup: Setup, candles: Candles) -> list[int]:
    """The places at which one piece does not say what was written, or says nothing."""
    start = max(0, min(rows) - setup.strategy.warmup + 1)
    part = candles.part(slice(start, max(rows) + 1))
    said = InOnePiece(setup.strategy, part)
    places = np.fromiter(rows, dtype=np.int64, count=len(rows))
    inside, written = places - start, list(rows.values())
    agrees = said.is_whole[inside] & (candles.close[places] == [row.price for row in written])
    agrees &= said.signal[inside] == np.array([row.signal for row in written], dtype=object)
    agrees &= said.reason[inside] == np.array([row.reason for row in written], dtype=object)
    indicators = [_indicators(row) for row in written]
    names = said.indicators.keys()
    agrees &= [found.keys() == names for found in indicators]
    agrees &= [row.rsi == found.get("rsi") for row, found in zip(written, indicators, strict=True)]
    for name, values in said.indicators.items():
        column = np.array([found.get(name) for found in indicators], dtype=np.float64)
        agrees &= np.isclose(column, values[inside], rtol=_NEARLY, atol=0, equal_nan=True)
    return places[~agrees].tolist()  # type: ignore[no-any-return]


def _unequal(row: SignalRow, signal: Signal) -> Iterator[tuple[str, str, str]]:
    """In what a row is not that signal: what, as written, and as it is to be."""
    indicators = _indicators(row)
    compared: list[tuple[str, object, object]] = [
        ("signal", row.signal, signal.kind.value),
        ("price", row.price, signal.price),
        ("reason", row.reason, signal.reason),
    ]
    measured: list[tuple[str, object, object]] = [("rsi", row.rsi, signal.indicators.get("rsi"))]
    for name in sorted(indicators.keys() | signal.indicators.keys()):
        written, said = indicators.get(name, NOTHING), signal.indicators.get(name, NOTHING)
        measured.append((f"indicator {name}", written, said))
    differing = [one for one in compared if one[1] != one[2]]
    differing += [one for one in measured if not _same(one[1], one[2])]
    yield from ((what, str(written), str(said)) for what, written, said in differing)


def _same(written: object, said: object) -> bool:
    if isinstance(written, int | float) and isinstance(said, int | float):
        return math.isclose(written, said, rel_tol=_SAME)
    return written == said


def _indicators(row: SignalRow) -> dict[str, float | None]:
    """The indicators of a row; none where they are no such JSON."""
    try:
        found = json.loads(row.indicators)
    except ValueError:
        return {}
    is_right = isinstance(found, dict) and all(
        value is None or isinstance(value, int | float) for value in found.values()
    )
    return found if is_right else {}


def _words(row: SignalRow) -> str:
    return f"{row.signal}, {row.reason}"
