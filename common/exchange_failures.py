"""What a failed call to an exchange means: the one place that knows ccxt's errors.

The type of the error that leaves here says what to do: TransientError to wait and try again, RejectedError
to record that the exchange does not serve what was asked for. Anything that is not known is passed on, and
ends the daemon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from common.clock import wall_now
from common.errors import CandlewellError, RejectedError, TransientError
from common.exchange import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

_BAN_S = 120.0  # where the exchange does not say for how long
_LIMIT_S = 10.0
_LONGEST_WAIT_S = 259_200.0  # three days, Binance's longest ban
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")
_NO_SUCH_MARKET = (
    "EQuery:Unknown asset pair"  # Kraken's words, of which ccxt makes a plain ExchangeError
)
_LONGEST = 200
_QUERY = re.compile(r"(https?://[^\s?]+)\?\S*")
_HTTP_BANNED, _HTTP_LIMIT, _HTTP_BAD, _HTTP_SERVER = 418, 429, 400, 500


class BannedError(TransientError):
    """The exchange will not hear from this address for a while."""


class NoAnswerError(TransientError):
    """An answer that cannot be what the exchange wanted to say."""


@dataclass(slots=True)
class Reply:
    """What is known of the HTTP exchange behind a call, as it happens; when it was sent, by the steady clock."""

    sent_steady: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def classified(error: Exception, reply: Reply) -> Exception:  # noqa: PLR0911 - a line for each kind
    """The error to raise for what a call raised."""
    if isinstance(error, CandlewellError):
        return error
    text = _short(error)
    if reply.status == _HTTP_BANNED or _BANNED_UNTIL.search(str(error)):
        return BannedError(text, retry_after_s=_retry_after_s(error, reply) or _BAN_S)
    if reply.status == _HTTP_LIMIT or isinstance(error, _LIMITS):
        return TransientError(text, retry_after_s=_retry_after_s(error, reply) or _LIMIT_S)
    if isinstance(error, TimeoutError | errors.NetworkError):
        return TransientError(text, retry_after_s=_retry_after_s(error, reply))
    is_symbol = isinstance(error, errors.BadSymbol | errors.NotSupported)
    if is_symbol or _NO_SUCH_MARKET in str(error):
        return RejectedError(text)
    if isinstance(error, errors.BaseError):
        # async ccxt raises the plain ExchangeError for a body that was cut short, too.
        refused = _HTTP_BAD <= (reply.status or 0) < _HTTP_SERVER and error.__cause__ is None
        return RejectedError(text) if refused else TransientError(text)
    if isinstance(error, _NONSENSE):
        return NoAnswerError(f"an answer that ccxt cannot read: {text}")
    return error


_LIMITS = (errors.DDoSProtection, errors.RateLimitExceeded)
# What ccxt's parsers raise for JSON that is not what they expect.
_NONSENSE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)


def _retry_after_s(error: Exception, reply: Reply) -> float | None:
    """The wait that the exchange asked for, in seconds; no longer than any exchange bans."""
    if match := _BANNED_UNTIL.search(str(error)):
        wait_s = max((int(match[1]) - wall_now()) / 1000, 1.0)
    elif (told := _in_header(reply)) is not None:
        wait_s = told
    else:
        return None
    return min(wait_s, _LONGEST_WAIT_S)


def _in_header(reply: Reply) -> float | None:
    headers = {name.lower(): value for name, value in reply.headers.items()}
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - wall_now() / 1000, 1.0)
    except (ValueError, TypeError, OverflowError):
        return None


def one_line(error: Exception) -> str:
    """What it says, without what was asked in a URL: that may be signed, and differs each time."""
    return _QUERY.sub(r"\1", " ".join(str(error).split()))


def _short(error: Exception) -> str:
    """One line of it: an HTML page is not a message."""
    text = one_line(error)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
