"""Logs: events with fields, as text for a person who is watching, as JSON for a program."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from common.errors import ConfigurationError
from common.redaction import Redaction
from common.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from structlog.typing import EventDict, Processor

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up(environment: Mapping[str, str] = os.environ, **bound: str) -> None:
    """Sends this process's log to stderr; every line bears the `bound` fields.

    `LOG_FORMAT` is text or json (unless told: text on a terminal), `LOG_LEVEL` the least level shown. Each line of
    json is one object, also for what libraries log, for Python's warnings and for a crash. No secret of the
    environment is in any line.

    Raises:
        ConfigurationError: one of them has another value.
    """
    level = _choice(environment, "LOG_LEVEL", "info", list(_LEVELS))
    default = "text" if sys.stderr.isatty() else "json"
    as_json = _choice(environment, "LOG_FORMAT", default, ["text", "json"]) == "json"
    stream = cast("TextIO", _Unfailing(sys.stderr))
    begin, finish = _begin(bound), _finish(environment, as_json=as_json)
    structlog.configure(
        processors=[*begin, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    _take_in_others(stream, begin, finish)


def _begin(bound: Mapping[str, str]) -> list[Processor]:
    """What every event bears. The bound fields are not context variables: a new thread has none of those."""

    def add_bound(_logger: Any, _method: str, event: EventDict) -> EventDict:
        return {**bound, **event}

    return [
        add_bound,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _finish(environment: Mapping[str, str], *, as_json: bool) -> list[Processor]:
    """What makes a line of an event: one JSON object, or words for a person; without a secret in it."""
    redaction = Redaction(environment)

    def redact(_logger: Any, _method: str, line: Any) -> Any:
        return redaction(line)

    if as_json:
        render: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ]
    else:  # no fancy traceback: rich would show the values of variables
        render = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    return [*render, redact]


def _take_in_others(
    stream: TextIO, begin: Sequence[Processor], finish: Sequence[Processor]
) -> None:
    """Has libraries, Python's warnings and a crash speak as our own events do."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*begin, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    sys.unraisablehook = _not_raised


def _crashed(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    structlog.get_logger().critical("crashed", exc_info=(kind, error, traceback))


def _thread_crashed(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _crashed(told.exc_type, told.exc_value, told.exc_traceback)


def _not_raised(told: sys.UnraisableHookArgs) -> None:
    """An error in a destructor: nobody can catch it."""
    found = (told.exc_type, told.exc_value, told.exc_traceback)
    structlog.get_logger().error("error_ignored", what=told.err_msg or "", exc_info=found)


class _Unfailing:
    """A stream that loses what it cannot write, full or closed: a log must not end the daemon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """See TextIO."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        """See TextIO."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _choice(environment: Mapping[str, str], key: str, default: str, choices: list[str]) -> str:
    value = environment.get(key, "").lower() or default
    if value not in choices:
        raise ConfigurationError(
            f"{key}: expected one of {', '.join(choices)}, found {shown(value)}"
        )
    return value
