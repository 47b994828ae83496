"""A fault: what an exchange, or the way to it, can do to a request instead of answering it.

It is data: whom it strikes, how often, and what then happens. What real ccxt makes of each kind is told in
the tests.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from practice.tape import Window

INSTEAD = ("status", "html", "body", "hang", "drop")  # the exchange does nothing
AFTER = ("delay", "lose_reply", "cut", "truncate", "drip")  # it acts, then the reply suffers
MISPRINTS = ("revision", "late", "bad_rows", "missing_rows", "empty")  # of its candles
WAYS = (
    "none",
    "nan",
    "zero",
    "negative",
    "high_below_low",
    "close_outside",
    "negative_volume",
    "off_grid",
    "future",
    "duplicate",
    "out_of_order",
)
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
