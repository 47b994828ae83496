"""Faults on demand: what an exchange or the way to it can do to a request instead of answering it.

A fault is data: whom it strikes, how often, and what then happens. What real ccxt makes of each
kind is told in the tests.
"""

from __future__ import annotations

import fnmatch
import itertools
import random
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from common.errors import ConfigurationError
from practice.misprints import MISPRINTS, WAYS, misprinted
from practice.wire import AFTER, INSTEAD

if TYPE_CHECKING:
    from practice.tape import Row, Window

KINDS = (*INSTEAD, *AFTER, *MISPRINTS)
_ONLY_ON_THE_WIRE = {"endpoint", "market", "delay_s", "status", "headers", "body"}
_ONLY_IN_CANDLES = {"symbol", "timeframe", "lasts_ms", "way"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `*` matches everything; `count` is how many answers it spoils."""

    kind: str
    exchange: str = "*"
    count: int | None = 1  # None: until it is deleted
    probability: float = 1.0  # of each request, or for "revision" and "late" of each candle
    seed: int = 1  # of what is left to chance

    # On the way of a request:
    endpoint: str = "*"  # a name from /practice/calls, or a pattern such as ticker*
    market: str = "*"  # as the client writes it, such as BTCUSDT or BTC-USD
    delay_s: float = 0.0  # waited first, with any kind
    status: int = 500  # of kind "status"
    headers: dict[str, str] = field(default_factory=dict)  # such as {"Retry-After": "3"}
    body: Any = None  # of kinds "status" and "body": text, or JSON of any form

    # In the candles of an answer:
    symbol: str = "*"  # such as BTC/USDT
    timeframe: str = "*"  # such as 1h
    lasts_ms: int | None = None  # of "revision" and "late", from the close; None: half a candle
    way: str | None = None  # of "bad_rows"; None: any

    @classmethod
    def parse(cls, wanted: object) -> Fault:
        """The fault that a JSON object describes.

        Raises:
            ConfigurationError: a key or a value is not understood.
        """
        kind = wanted.get("kind") if isinstance(wanted, dict) else None
        others = _ONLY_ON_THE_WIRE if kind in MISPRINTS else _ONLY_IN_CANDLES
        known = {one.name for one in fields(cls)} - others
        if not isinstance(wanted, dict) or not wanted.keys() <= known:
            raise ConfigurationError(
                f"fault: expected a JSON object with keys of {', '.join(sorted(known))}, found {wanted}"
            )
        if kind not in KINDS:
            raise ConfigurationError(f"kind: expected one of {', '.join(KINDS)}, found {kind!r}")
        for name, types in _TYPES.items():
            if name in wanted and not isinstance(wanted[name], types):
                raise ConfigurationError(
                    f"{name}: found {wanted[name]!r}, which is no value for it"
                )
        if not 0 <= wanted.get("probability", 1) <= 1:
            raise ConfigurationError(
                f"probability: expected a share from 0 to 1, found {wanted['probability']}"
            )
        if wanted.get("way") not in {None, *WAYS}:
            raise ConfigurationError(
                f"way: expected one of {', '.join(WAYS)}, found {wanted['way']!r}"
            )
        return cls(**wanted)

    def strikes(self, exchange: str, endpoint: str, market: str) -> bool:
        """Whether it concerns such a request, on its way."""
        return self.kind not in MISPRINTS and (
            fnmatch.fnmatchcase(exchange, self.exchange)
            and fnmatch.fnmatchcase(endpoint, self.endpoint)
            and fnmatch.fnmatchcase(market, self.market)
        )

    def misprints(self, exchange: str, window: Window) -> bool:
        """Whether it concerns the candles of such an answer."""
        return self.kind in MISPRINTS and (
            fnmatch.fnmatchcase(exchange, self.exchange)
            and self.symbol in {"*", window.listing.market.symbol}
            and self.timeframe in {"*", window.timeframe}
        )


_TYPES: dict[str, type | tuple[type, ...]] = {
    "exchange": str,
    "endpoint": str,
    "market": str,
    "symbol": str,
    "timeframe": str,
    "count": (int, type(None)),
    "probability": (int, float),
    "seed": int,
    "delay_s": (int, float),
    "lasts_ms": (int, type(None)),
    "status": int,
    "headers": dict,
}


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
