"""How long the fuzzing goes on: the same few examples each time, or new ones for minutes.

`HYPOTHESIS_PROFILE=long .venv/bin/pytest tests/fuzz` is the long form; `--hypothesis-seed=N` repeats one of its runs.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from collections.abc import Callable

_Test = TypeVar("_Test", bound="Callable[..., Any]")
IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
_LONGER = 10
COUNTED: Counter[str] = Counter()  # how many examples ran, of each kind


def examples(
    short: int, *, longer: int = _LONGER, shrinks: bool = True
) -> Callable[[_Test], _Test]:
    """So many examples in the short form, and `longer` times as many in the long one.

    One that fails is made smaller, unless it is made of a seed: no seed is simpler than another.
    """
    phases = set(Phase) - ({Phase.shrink, Phase.explain} if not shrinks else set())
    return settings(
        max_examples=short * longer if IS_LONG else short,
        derandomize=not IS_LONG,
        database=None,
        deadline=None,  # the machine may be busy
        print_blob=True,
        phases=sorted(phases, key=lambda phase: phase.value),
        suppress_health_check=list(HealthCheck),  # fixtures are shared by examples on purpose
    )


def count(kind: str) -> None:
    """One more example ran."""
    COUNTED[kind] += 1
