"""What a fault does to the candles of an answer that is right in all else.

What is left to chance comes from a seed. `revision` and `late` draw for each candle, so that it
looks the same in every answer; the other kinds draw for each answer.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

from practice.fault import WAYS
from practice.tape import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from practice.fault import Fault
    from practice.tape import Window

_PRICES = ("open", "high", "low", "close")
_NUMBERS = (*_PRICES, "volume")
_OFF_GRID_MS = 7_000
_AHEAD = 2  # candles
_FEWEST_WITH_A_MIDDLE = 3


def misprinted(fault: Fault, window: Window, rows: list[Row], place: str, turn: int) -> list[Row]:
    """Those rows as the fault leaves them.

    Args:
        fault: of one of the kinds above.
        window: what was asked for.
        rows: the true answer.
        place: exchange, symbol and timeframe.
        turn: the how-manieth answer of that place this is, for the fault.
    """
    if fault.kind in {"revision", "late"}:
        return _misprinted_young(fault, window, rows, place)
    dice = _dice(fault.seed, place, turn)
    if dice.random() >= fault.probability:
        return rows
    if fault.kind == "bad_rows":
        return _with_a_bad_row(fault.way or dice.choice(WAYS), rows, window, dice)
    return _without_the_middle(rows, dice) if fault.kind == "missing_rows" else []


def _dice(*parts: object) -> random.Random:
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - chance that can be repeated


def _misprinted_young(fault: Fault, window: Window, rows: list[Row], place: str) -> list[Row]:
    """Revises or leaves out candles that closed less than `lasts_ms` ago."""
    lasts_ms = window.length_ms // 2 if fault.lasts_ms is None else fault.lasts_ms
    printed = []
    for row in rows:
        age_ms = window.now_ms - row.opens_ms - window.length_ms
        dice = _dice(fault.seed, place, row.opens_ms)
        if not 0 <= age_ms < lasts_ms or dice.random() >= fault.probability:
            printed.append(row)
        elif fault.kind == "revision":
            printed.append(_revised(row, window, dice))
    return printed


def _revised(row: Row, window: Window, dice: random.Random) -> Row:
    """Another possible candle: the open stays, all else is different."""
    tick, step = window.tick, window.step
    opened, high, low, close, volume = (Decimal(text or 0) for text in row[1:])
    move = max(int(close / tick) // 10_000, 1)
    close = max(close + dice.choice((-1, 1)) * dice.randint(1, move) * tick, tick)
    high = max(high, opened, close) + tick
    low = max(min(low, opened, close) - tick, tick)
    volume += dice.randint(1, 1000) * step
    return row._replace(high=f"{high:f}", low=f"{low:f}", close=f"{close:f}", volume=f"{volume:f}")


def _without_the_middle(rows: list[Row], dice: random.Random) -> list[Row]:
    """The first and the last row, and some of those between."""
    if len(rows) < _FEWEST_WITH_A_MIDDLE:
        return rows
    size = dice.randint(1, -(-(len(rows) - 2) // 2))
    start = dice.randint(1, len(rows) - 1 - size)
    return rows[:start] + rows[start + size :]


def _with_a_bad_row(way: str, rows: list[Row], window: Window, dice: random.Random) -> list[Row]:
    closed = [
        one for one, row in enumerate(rows) if row.opens_ms + window.length_ms <= window.now_ms
    ]
    if not closed:
        return rows
    place = dice.choice(closed)
    row, others = rows[place], rows[:place] + rows[place + 1 :]
    if way == "out_of_order":
        return [*others, row]
    return [*rows[:place], *_SPOILED[way](row, window, dice), *rows[place + 1 :]]


def _plus(text: str | None, step: Decimal) -> str:
    return f"{Decimal(text or 0) + step:f}"


def _with(row: Row, name: str, text: str | None) -> list[Row]:
    return [Row(**{**row._asdict(), name: text})]


_SPOILED: dict[str, Callable[[Row, Window, random.Random], list[Row]]] = {
    "none": lambda row, _, dice: _with(row, dice.choice(_NUMBERS), None),
    "nan": lambda row, _, dice: _with(row, dice.choice(_NUMBERS), "NaN"),
    "zero": lambda row, _, dice: _with(row, dice.choice(_PRICES), "0"),
    "negative": lambda row, _, dice: _with(row, dice.choice(_PRICES), f"-{row.close}"),
    "high_below_low": lambda row, window, _: _with(row, "low", _plus(row.high, window.tick)),
    "close_outside": lambda row, window, _: _with(row, "close", _plus(row.high, window.tick)),
    "negative_volume": lambda row, window, _: _with(row, "volume", f"-{window.step:f}"),
    "off_grid": lambda row, _, __: [row._replace(opens_ms=row.opens_ms + _OFF_GRID_MS)],
    "future": lambda row, window, _: [
        row._replace(opens_ms=(window.now_ms // window.length_ms + _AHEAD) * window.length_ms)
    ],
    "duplicate": lambda row, window, dice: [row, _revised(row, window, dice)],
}
