"""How Kraken's API puts its answers, errors and numbers, and how it reads those of a request."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

Parameters = dict[str, str]
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


class KrakenError(web.HTTPException):
    """An error in Kraken's form, which comes with status 200."""

    status_code = 200

    def __init__(self, error: str) -> None:
        super().__init__(text=json.dumps({"error": [error]}), content_type="application/json")


def result_form(result: dict[str, Any]) -> dict[str, Any]:
    """An answer in Kraken's form."""
    return {"error": [], "result": result}


def whole_number(parameters: Mapping[str, str], name: str, default: int) -> int:
    """That parameter as a whole number, or Kraken's error for one that is none."""
    text = parameters.get(name, str(default))
    if not _WHOLE.fullmatch(text):
        raise KrakenError("EGeneral:Invalid arguments")
    return int(text)


def decimal_number(parameters: Mapping[str, str], name: str) -> Decimal:
    """That parameter as a decimal number above or equal to 0; 0 where it was not sent."""
    text = parameters.get(name) or "0"
    if not _DECIMAL.fullmatch(text):
        raise KrakenError(f"EGeneral:Invalid arguments:{name}")
    return Decimal(text)


def is_true(parameters: Mapping[str, str], name: str) -> bool:
    """Whether that parameter was sent as true."""
    return parameters.get(name, "").lower() == "true"


def text_of(number: Decimal) -> str:
    """That number with all its decimals, and no more."""
    return f"{number.normalize():f}"
