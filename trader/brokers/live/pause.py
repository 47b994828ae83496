"""When not to ask the exchange: between two looks, and after failures, for longer each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_S, _MOST_S = 0.5, 30.0


class Pause:
    """Until when to wait, on a clock that counts seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until = 0.0
        self._failures = 0
        self.why = ""

    @property
    def left_s(self) -> float:
        """How long it lasts still, in seconds."""
        return max(0.0, self._until - self._now())

    @property
    def is_on(self) -> bool:
        """Whether to wait."""
        return self.left_s > 0

    def begin(self, why: str, length_s: float) -> None:
        """Waits a little before the next look."""
        self.why, self._until = why, self._now() + length_s

    def fail(self, why: str, retry_after_s: float | None) -> None:
        """Waits after a failure; what the exchange asks for is a least wait."""
        grown = min(_FIRST_S * 2.0**self._failures, _MOST_S)
        self._failures = min(self._failures + 1, 20)
        self.begin(why, max(grown, retry_after_s or 0.0))

    def end(self) -> None:
        """A call has succeeded: the next failure is the first one again."""
        self._failures = 0
