"""A second wall before the log: the secrets of this process's environment are never in a line of it.

The first one is that nobody logs a secret. But a library's error may hold a whole request, a URL or a header.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HIDDEN = "(not shown)"
_SECRET = re.compile(r"[A-Z0-9]+_API_(KEY|SECRET|PASSWORD)(_FILE)?")
_SHORTEST = 8  # what is shorter is in many words, and no secret of an exchange


class Redaction:
    """Hides the values of `<EXCHANGE>_API_KEY` and `_API_SECRET`, and what is in the files of `..._FILE`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        forms = {form for secret in _secrets(environment) for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._found = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        return text if self._found is None else self._found.sub(HIDDEN, text)


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        match = _SECRET.fullmatch(name)
        if match is None or not value:
            continue
        if match[2] is None:
            yield value
            continue
        try:
            yield Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue  # who needs it says what is wrong with it


def _forms(secret: str) -> Iterator[str]:
    """How it may stand in a line: as it is, in JSON, in a URL, with its newlines written out, line by line."""
    plain = secret.replace("\\n", "\n")
    for text in {secret, plain, *plain.splitlines()}:
        if len(text) >= _SHORTEST and not text.startswith(
            "-----"
        ):  # a PEM file's first and last line
            yield from {text, json.dumps(text)[1:-1], repr(text)[1:-1], quote(text), quote(text, safe=""),
                        quote_plus(text)}  # fmt: skip
