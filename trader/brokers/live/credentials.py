"""The keys of an exchange: from the environment, or from the files that it names (Docker secrets)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
            given = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ConfigurationError(
                f"{key}_FILE: expected a file that can be read, found {file}: {why}"
            ) from None
    if not given:
        raise ConfigurationError(f"{key}: expected a key for live orders, found none")
    return given.replace("\\n", "\n")  # a key of several lines in one variable
