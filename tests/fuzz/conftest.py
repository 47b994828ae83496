"""What the fuzzing shares: how many examples ran is told at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from tests.fuzz.profile import COUNTED

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if COUNTED:
        told = ", ".join(f"{kind} {count:,}" for kind, count in sorted(COUNTED.items()))
        terminalreporter.write_line(f"fuzzing: {sum(COUNTED.values()):,} examples: {told}")


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    yield
    structlog.reset_defaults()
