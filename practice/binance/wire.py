"""How Binance's API puts its errors, and how it reads the parameters of a request."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from practice.venue import Listing

_WHOLE = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


class BinanceError(web.HTTPException):
    """An error in Binance's form: a negative code and a message."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        self.status_code = status
        super().__init__(
            text=json.dumps({"code": code, "msg": message}), content_type="application/json"
        )


def required(parameters: Mapping[str, str], name: str) -> str:
    """That parameter, or Binance's error for a missing one."""
    value = parameters.get(name)
    if not value:
        raise BinanceError(
            -1102,
            f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
        )
    return str(value)


def whole_number(parameters: Mapping[str, str], name: str, default: int) -> int:
    """That parameter as a whole number, or Binance's error for one that is none."""
    value = parameters.get(name, str(default))
    if not _WHOLE.fullmatch(value):
        raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'.")
    return int(value)


def listing_of(listings: dict[str, Listing], name: str) -> Listing:
    """That market, or Binance's error for an unknown one."""
    if name not in listings:
        raise BinanceError(-1121, "Invalid symbol.")
    return listings[name]


def decimal_number(parameters: Mapping[str, str], name: str) -> Decimal:
    """That parameter as a decimal number above or equal to 0; 0 where it was not sent."""
    text = parameters.get(name, "0")
    if not _DECIMAL.fullmatch(text):
        raise BinanceError(
            -1100,
            f"Illegal characters found in parameter '{name}'; "
            "legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
        )
    return Decimal(text)
