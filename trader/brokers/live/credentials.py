"""The keys of an exchange: from the environment, or from the files that it names (Docker secrets)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from common.text_file import TooLong, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 16_384  # an RSA key of 8192 bits has 6,400
_NAMES = {"API_KEY": "apiKey", "API_SECRET": "secret"}


def credentials(exchange: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What ccxt calls `apiKey` and `secret`.

    `<EXCHANGE>_API_KEY` and `<EXCHANGE>_API_SECRET` hold them, or with `_FILE` at their end the name of a file.

    Raises:
        ConfigurationError: one is missing, given twice or cannot be read. What was found is never shown.
    """
    return {
        name: _secret(f"{exchange.upper()}_{variable}", environment)
        for variable, name in _NAMES.items()
    }


def _secret(key: str, environment: Mapping[str, str]) -> str:
    given, file = environment.get(key, ""), environment.get(f"{key}_FILE", "")
    if given and file:
        raise ConfigurationError(f"{key}: expected one of {key} and {key}_FILE, found both")
    if file:
        try:
            given = read_text(Path(file), most_bytes=_MOST_BYTES).strip()
        except (OSError, ValueError) as error:
            why = _why(error)
            raise ConfigurationError(
                f"{key}_FILE: expected a file that can be read, found {file}: {why}"
            ) from None
    if not given:
        raise ConfigurationError(f"{key}: expected a key for live orders, found none")
    if len(given) > _MOST_BYTES or any("\ud800" <= one <= "\udfff" for one in given):
        raise ConfigurationError(
            f"{key}: expected a key of at most {_MOST_BYTES:,} characters of text, found another"
        )
    return given.replace("\\n", "\n")  # a key of several lines in one variable


def _why(error: Exception) -> str:
    """What is wrong with a file, without a word of what is in it."""
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return str(error) if isinstance(error, TooLong) else "it is not text"
