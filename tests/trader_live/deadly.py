"""A process that is killed at a chosen step: every write of its journal and every call to the exchange is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.trader_live.stage import BUY, HOLD

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage


class Killed(BaseException):
    """The process ended here. No `except Exception` of the product sees it."""


@dataclass
class Countdown:
    """The kill comes at this step; a step is before or after a write or a call."""

    left: int
    what: str = ""

    def step(self, what: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.what = what
            raise Killed(what)

    @property
    def has_struck(self) -> bool:
        return self.left <= 0


class Deadly:
    """A journal or an account under which the countdown runs; questions that change nothing count as well."""

    def __init__(self, mortal: Any, countdown: Countdown, names: tuple[str, ...]) -> None:
        self._mortal = mortal
        self._countdown = countdown
        self._names = names

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._mortal, name)
        if not (name.startswith(self._names) and callable(method)):
            return method

        def act(*arguments: Any, **named: Any) -> Any:
            self._countdown.step(f"before {name}")
            answer = method(*arguments, **named)
            self._countdown.step(f"after {name}")
            return answer

        return act


def killed_while_it_sent_an_order(stage: Stage, countdown: Countdown, step: int) -> None:
    """A trader whose entry is written, and at the exchange if that step is behind the call."""
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    countdown.left = step
    stage.say(BUY)
    with pytest.raises(Killed):
        stage.run(engine)
