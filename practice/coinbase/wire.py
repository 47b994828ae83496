"""How Coinbase's API puts its errors, times and numbers, and how it reads those of a request."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

BROKERAGE = "/api/v3/brokerage"
_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")

# What a request names, however it was sent. A value that is sent more than once is joined by commas.
Parameters = dict[str, Any]


class CoinbaseError(web.HTTPException):
    """An error in Coinbase's form: a word for the kind and a sentence."""

    def __init__(self, error: str, message: str, status: int = 400) -> None:
        self.status_code = status
        super().__init__(
            text=json.dumps({"error": error, "error_details": message, "message": message}),
            content_type="application/json",
        )


class Unauthorized(web.HTTPException):
    """What Coinbase says of an unknown key, a wrong signature and a wrong time alike."""

    status_code = 401

    def __init__(self) -> None:
        super().__init__(text="Unauthorized\n")


class OrderRefused(web.HTTPException):
    """What Coinbase says of an order that it does not take, with status 200."""

    status_code = 200

    def __init__(self, reason: str, message: str = "") -> None:
        response = {
            "error": reason,
            "message": message,
            "error_details": "",
            "preview_failure_reason": f"PREVIEW_{reason}",
        }
        refusal = {
            "success": False,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "order_id": "",
            "error_response": response,
        }
        super().__init__(text=json.dumps(refusal), content_type="application/json")


def whole_number(parameters: Mapping[str, Any], name: str, default: int) -> int:
    """That parameter as a whole number, or Coinbase's error for one that is none."""
    text = str(parameters.get(name) or default)
    if not _WHOLE.fullmatch(text):
        raise CoinbaseError("INVALID_ARGUMENT", f"{name}: expected a whole number")
    return int(text)


def decimal_number(parameters: Mapping[str, Any], name: str) -> Decimal:
    """That parameter as a decimal number above or equal to 0; 0 where it was not sent."""
    text = str(parameters.get(name, "0"))
    if not _DECIMAL.fullmatch(text):
        raise CoinbaseError("INVALID_ARGUMENT", f"{name}: expected a decimal number")
    return Decimal(text)


def words(parameters: Mapping[str, Any], *names: str) -> set[str]:
    """All values of those parameters."""
    return {word for name in names for word in str(parameters.get(name, "")).split(",") if word}


def moment(parameters: Mapping[str, Any], name: str, default_ms: int) -> int:
    """That parameter as a time, in milliseconds."""
    if not (text := parameters.get(name)):
        return default_ms
    try:
        found = datetime.fromisoformat(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (TypeError, ValueError):
        raise CoinbaseError(
            "INVALID_ARGUMENT", f"{name}: expected a time such as 2026-01-31T12:00:00Z"
        ) from None


def iso(moment_ms: int) -> str:
    """That time as Coinbase writes it."""
    written = datetime.fromtimestamp(moment_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def text_of(number: Decimal) -> str:
    """That number with all its decimals, and no more."""
    return f"{number.normalize():f}"
