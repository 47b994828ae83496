"""A command in this process, as its user sees it: exit status and what it said; and the law of what that may be."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from common.errors import ConfigurationError

_LONGEST = 1500  # characters of a line
_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


def run(
    program: Callable[[], int | None],
    environment: Mapping[str, str],
    *,
    words: Sequence[str] = (),
) -> Ended:
    """Runs it with that environment and nothing else; what it raises is passed on, but for SystemExit."""
    out, err = _stream("strict"), _stream("backslashreplace")
    with _environment(environment, words), redirect_stdout(out), redirect_stderr(err):
        try:
            status = program() or 0
        except SystemExit as error:  # argparse's way to end
            status = error.code if isinstance(error.code, int) else 1
    return Ended(status, _said(out), _said(err))


def require_lawful(ended: Ended, statuses: frozenset[int] = frozenset({0, 1, 2})) -> None:
    """No traceback; a mistake is told on stderr, in a few lines of a bounded length."""
    assert ended.status in statuses, ended
    assert "Traceback" not in ended.err, ended.err
    if ended.status == 2:
        assert ended.err.strip(), "expected a line that says what is wrong"
    lines = ended.err.splitlines()
    assert len(lines) <= _MOST_LINES, f"{len(lines)} lines: {ended.err[:2000]}"
    assert all(len(line) <= _LONGEST for line in lines), ended.err[:5000]


def require_short(error: ConfigurationError) -> None:
    """A refusal that is no command's: the same few short lines."""
    lines = str(error).splitlines()
    assert 0 < len(lines) <= _MOST_LINES
    assert all(0 < len(line) <= _LONGEST for line in lines), str(error)[:5000]


@contextmanager
def _environment(environment: Mapping[str, str], words: Sequence[str]) -> Iterator[None]:
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["command", *words]),
    ):
        yield


def _stream(errors: str) -> io.TextIOWrapper:
    """As a process has it: what cannot be written to stdout raises."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors, write_through=True)


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()
