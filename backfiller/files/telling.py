"""What a command says to who typed it: results on stdout, one line for each mistake on stderr."""

from __future__ import annotations

import sys


def tell(line: object) -> None:
    """Prints a result."""
    print(line, flush=True)  # noqa: T201


def complain(command: str, problem: object) -> None:
    """Prints a mistake."""
    print(f"{command}: {problem}", file=sys.stderr)  # noqa: T201
