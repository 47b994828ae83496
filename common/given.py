"""What a program is given when it starts, its arguments and variables: text, of a bounded length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from common.shown import named, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST = 1024  # characters of an argument, or of a variable that is no secret


def require_words(words: Iterable[str]) -> None:
    """Refuses what no command line of ours has.

    Raises:
        ConfigurationError: a word is too long, or of bytes that are no text: nothing could be kept of it.
    """
    for word in words:
        _require_text("arguments", word)


def require_variables(environment: Mapping[str, str], names: Iterable[str]) -> None:
    """The same for those variables.

    Raises:
        ConfigurationError: one is too long, or no text; the message names it.
    """
    for name in names:
        if value := environment.get(name):
            _require_text(named(name), value)


def _require_text(what: str, value: str) -> None:
    if len(value) > LONGEST:
        raise ConfigurationError(
            f"{what}: expected at most {LONGEST} characters, found {len(value)}: {shown(value)}"
        )
    if "\0" in value:
        raise ConfigurationError(f"{what}: expected text without NUL, found {shown(value)}")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigurationError(f"{what}: expected text in UTF-8, found {shown(value)}")
