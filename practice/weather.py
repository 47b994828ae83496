"""Weather: any fault may strike any request, from a seed, for as long as the rehearsal lasts."""

from __future__ import annotations

import fnmatch
import random
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from common.errors import ConfigurationError
from practice.fault import KINDS, MISPRINTS, Fault

# How each kind comes about; a kind that is not here has only one form.
_FORMS: dict[str, list[dict[str, Any]]] = {
    "status": [
        *({"status": status} for status in (403, 500, 502, 503, 504)),
        *({"status": status, "headers": {"Retry-After": "1"}} for status in (418, 429)),
    ],
    "body": [{"body": []}, {"body": {}}, {"body": ""}],
    "delay": [{"delay_s": 0.3}, {"delay_s": 1.0}],
}
# What an exchange says in words of its own, besides.
_WORDS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "binance": {
        "status": [
            {"status": 400, "body": {"code": -1007, "msg": "Timeout waiting for response."}},
            {"status": 429, "body": {"code": -1003, "msg": "Too many requests."}},
            {"status": 503, "body": {"code": 1, "msg": "System is under maintenance."}},
        ]
    },
    "kraken": {
        "body": [
            {"body": {"error": [error]}}
            for error in (
                "EAPI:Rate limit exceeded",
                "EService:Unavailable",
                "EGeneral:Internal error",
                "EGeneral:Temporary lockout",
            )
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What may happen, and how often."""

    rate: float  # the share of requests that suffer
    seed: int = 1
    exchange: str = "*"
    endpoint: str = "*"  # a name from /practice/calls, or a pattern
    kinds: tuple[str, ...] = KINDS

    @classmethod
    def parse(cls, wanted: object) -> Forecast:
        """The weather that a JSON object asks for.

        Raises:
            ConfigurationError: a key or a value is not understood.
        """
        if not isinstance(wanted, dict) or not {"rate"} <= wanted.keys() <= _TYPES.keys():
            raise ConfigurationError(
                f"weather: expected a JSON object with rate, and perhaps {', '.join(_TYPES)}, "
                f"found {wanted}"
            )
        for name, types in _TYPES.items():
            if name in wanted and not isinstance(wanted[name], types):
                raise ConfigurationError(
                    f"{name}: found {wanted[name]!r}, which is no value for it"
                )
        if not 0 <= wanted["rate"] <= 1:
            raise ConfigurationError(f"rate: expected a share from 0 to 1, found {wanted['rate']}")
        kinds = tuple(wanted.get("kinds", KINDS))
        if not kinds or not set(kinds) <= set(KINDS):
            raise ConfigurationError(f"kinds: expected some of {', '.join(KINDS)}, found {kinds}")
        return cls(**{**wanted, "kinds": kinds})


_TYPES: dict[str, type | tuple[type, ...]] = {
    "rate": (int, float),
    "seed": int,
    "exchange": str,
    "endpoint": str,
    "kinds": list,
}


class Weather:
    """The weather as it is now; fair at first."""

    def __init__(self) -> None:
        self._forecast: Forecast | None = None
        self._requests: Counter[str] = Counter()
        self._suffered: Counter[str] = Counter()

    def change(self, forecast: Forecast | None) -> None:
        """Begins another weather, or ends it."""
        self._forecast = forecast
        self._requests.clear()
        self._suffered.clear()

    def told(self) -> dict[str, Any] | None:
        """The weather, and how many requests of those it could strike suffered what."""
        if self._forecast is None:
            return None
        return {
            **asdict(self._forecast),
            "requests": self._requests.total(),
            "suffered": dict(self._suffered),
        }

    def next_for(
        self, exchange: str, endpoint: str, market: str, *, has_candles: bool
    ) -> Fault | None:
        """What such a request suffers: the same in every run for the n-th one of its place."""
        forecast = self._forecast
        if forecast is None or not (
            fnmatch.fnmatchcase(exchange, forecast.exchange)
            and fnmatch.fnmatchcase(endpoint, forecast.endpoint)
        ):
            return None
        kinds = [kind for kind in forecast.kinds if has_candles or kind not in MISPRINTS]
        place = f"{exchange}/{endpoint}/{market}"
        self._requests[place] += 1
        dice = random.Random(f"{forecast.seed}/{place}/{self._requests[place]}")  # noqa: S311
        if not kinds or dice.random() >= forecast.rate:
            return None
        kind = dice.choice(kinds)
        self._suffered[kind] += 1
        forms = [*_FORMS.get(kind, [{}]), *_WORDS.get(exchange, {}).get(kind, [])]
        return Fault(kind, seed=dice.getrandbits(32), **dice.choice(forms))
