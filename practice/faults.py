"""Faults on demand: those that wait for a request."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from practice.misprints import misprinted

if TYPE_CHECKING:
    from practice.fault import Fault
    from practice.tape import Row, Window


@dataclass(slots=True)
class _Waiting:
    """A fault, how often it may still strike, and how often it had the chance to, by place."""

    fault: Fault
    left: int | None
    chances: Counter[str] = field(default_factory=Counter)


class Faults:
    """The faults that wait for a request, oldest first."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}

    def add(self, fault: Fault) -> int:
        """Lets a fault wait; its number."""
        number = next(self._numbers)
        self._waiting[number] = _Waiting(fault, fault.count)
        return number

    def clear(self) -> None:
        """Forgets them all."""
        self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """The faults that still wait, with the count that is left of each."""
        return [
            {"id": number, **asdict(one.fault), "count": one.left}
            for number, one in self._waiting.items()
        ]

    def next_for(self, exchange: str, endpoint: str, market: str) -> Fault | None:
        """The fault that strikes such a request, which is then one nearer to its end."""
        for number, one in list(self._waiting.items()):
            fault = one.fault
            if not fault.strikes(exchange, endpoint, market):
                continue
            place = f"{exchange}/{endpoint}/{market}"
            one.chances[place] += 1
            dice = random.Random(f"{fault.seed}/{place}/{one.chances[place]}")  # noqa: S311
            if dice.random() < fault.probability:
                self._strike(number)
                return fault
        return None

    def misprinted(self, exchange: str, window: Window, rows: list[Row]) -> list[Row]:
        """Those rows as they are printed; each fault that changed them is one nearer to its end."""
        for number, one in list(self._waiting.items()):
            if not one.fault.misprints(exchange, window):
                continue
            place = f"{exchange}/{window.listing.market.symbol}/{window.timeframe}"
            one.chances[place] += 1
            printed = misprinted(one.fault, window, rows, place, one.chances[place])
            if printed != rows:
                self._strike(number)
            rows = printed
        return rows

    def _strike(self, number: int) -> None:
        one = self._waiting[number]
        if one.left is not None:
            one.left -= 1
            if one.left <= 0:
                del self._waiting[number]
