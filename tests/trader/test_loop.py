"""The loop: when it looks, and what it does when the database is not to be had."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from common.database import DatabaseLocked
from common.errors import TransientError
from trader.engine import Engine, Progress
from trader.loop import SLOW_PASS_S, run
from trader.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator


class ScriptedEngine:
    """Does in each pass what the script says next, and ends the loop at its end."""

    def __init__(self, script: list[Progress | Exception]) -> None:
        self._script: Iterator[Progress | Exception] = iter(script)
        self.calls: list[str] = []
        self.stop = Stop()

    def advance(self) -> Progress:
        self.calls.append("advance")
        match next(self._script, None):
            case Exception() as error:
                raise error
            case Progress() as progress:
                return progress
        self.stop.set()
        return Progress("running")

    def reload(self) -> None:
        self.calls.append("reload")


def run_through(script: list[Progress | Exception]) -> tuple[list[str], list[Progress], list[str]]:
    engine, told, token = ScriptedEngine(script), list[Progress](), iter(range(10_000))
    failures: list[str] = []
    run(
        cast("Engine", engine),
        news=lambda: next(token),
        report=told.append,
        failed=failures.append,
        stop=engine.stop,
    )
    return engine.calls, told, failures


def test_after_a_write_that_may_not_have_happened_the_books_are_read_again():
    script: list[Progress | Exception] = [
        Progress("running"),
        TransientError("locked"),
        Progress("running"),
    ]
    calls, told, failures = run_through(script)
    assert calls == ["advance", "advance", "reload", "advance", "advance"]
    assert (len(told), failures) == (3, ["locked"])


def test_it_looks_at_least_once_a_second_when_nothing_is_written():
    engine = ScriptedEngine([Progress("waiting")])
    timer = threading.Timer(SLOW_PASS_S * 5, engine.stop.set)
    timer.start()
    run(
        cast("Engine", engine),
        news=lambda: 1,
        report=lambda _: None,
        failed=lambda _: None,
        stop=engine.stop,
    )
    timer.cancel()
    assert engine.calls == ["advance", "advance"]


def test_a_database_that_is_locked_while_it_looks_does_not_end_it():
    engine = ScriptedEngine([Progress("running")])
    answers: Iterator[int | Exception] = iter([DatabaseLocked("by another process"), 1, 2])

    def news() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    run(
        cast("Engine", engine),
        news=news,
        report=lambda _: None,
        failed=lambda _: None,
        stop=engine.stop,
    )
    assert engine.calls == ["reload", "advance", "advance"]
