"""What a failed private call means for an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import RejectedError, TransientError
from common.exchange import errors
from common.exchange_failures import classified, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.exchange_failures import Reply


class RefusedError(RejectedError):
    """The exchange has said no: nothing was done."""


class UnknownOrderError(RejectedError):
    """The exchange knows no such order."""


class UnclearError(TransientError):
    """Nobody knows whether it was done: a timeout, a lost reply, an answer that is none."""


class NotDoneError(TransientError):
    """It was not done, for a reason that passes: the clock was off, or too many calls were made."""


# What an exchange answers itself, and before it does anything.
_REFUSALS = (
    errors.InsufficientFunds,
    errors.InvalidOrder,
    errors.BadRequest,
    errors.AuthenticationError,
    errors.NotSupported,
)


def meaning(error: Exception, reply: Reply, secrets: Iterable[str] = ()) -> Exception:
    """The error to raise for what a private call raised; an unknown one is passed on.

    Whatever is not known to be a refusal is unclear: an order may be at the exchange. The error's words go into logs
    and books, so what is among the `secrets` is not in them: an exchange may repeat the key that it refuses.
    """
    if isinstance(error, errors.OrderNotFound):
        return UnknownOrderError(_words(error, secrets))
    if isinstance(error, errors.InvalidNonce):
        return NotDoneError(_words(error, secrets))
    if isinstance(error, _REFUSALS) or _is_answered(error, reply):
        return RefusedError(_words(error, secrets))
    found = classified(error, reply)
    retry_after_s = getattr(found, "retry_after_s", None)
    if isinstance(error, errors.RateLimitExceeded):
        return NotDoneError(_words(error, secrets), retry_after_s=retry_after_s)
    if isinstance(found, TransientError | RejectedError):
        return UnclearError(_without(secrets, str(found)), retry_after_s=retry_after_s)
    return found


def _is_answered(error: Exception, reply: Reply) -> bool:
    """Whether this is the exchange's own refusal for which ccxt has no class.

    ccxt raises the plain ExchangeError for a body that was cut short, too; that one has a cause.
    """
    return (
        type(error) is errors.ExchangeError and error.__cause__ is None and reply.status is not None
    )


def _words(error: Exception, secrets: Iterable[str]) -> str:
    text = _without(secrets, one_line(error))
    return f"{type(error).__name__}: {text}"[:300]


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
