"""Logs: events with fields, as text for a person who is watching, as JSON for a program."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO, cast

import structlog

from common.errors import ConfigurationError
from common.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up(environment: Mapping[str, str] = os.environ, **bound: str) -> None:
    """Sends this process's log to stderr; every line bears the `bound` fields.

    `LOG_FORMAT` is text or json (unless told: text on a terminal), `LOG_LEVEL` the least level shown.

    Raises:
        ConfigurationError: one of them has another value.
    """
    level = _choice(environment, "LOG_LEVEL", "info", list(_LEVELS))
    default = "text" if sys.stderr.isatty() else "json"
    as_json = _choice(environment, "LOG_FORMAT", default, ["text", "json"]) == "json"
    renderer = (
        structlog.processors.JSONRenderer(default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**bound)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)


class _Unfailing:
    """A stream that loses what it cannot write: a log on a full disk must not end the daemon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """See TextIO."""
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """See TextIO."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def _choice(environment: Mapping[str, str], key: str, default: str, choices: list[str]) -> str:
    value = environment.get(key, "").lower() or default
    if value not in choices:
        raise ConfigurationError(
            f"{key}: expected one of {', '.join(choices)}, found {shown(value)}"
        )
    return value
