"""An opened database, and the commands as a user runs them, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backfiller import commands
from tests.backfiller_files import samples

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def database(database_url):
    opened = samples.open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def run(database_url, tmp_path) -> Callable[..., int]:
    """Runs a command of the backfiller on the test's database."""
    config = tmp_path / "backfiller.yml"
    config.write_text("", encoding="utf-8")

    def command(*words: object, **environment: str) -> int:
        known = {"DATABASE_URL": database_url, "BACKFILLER_CONFIG": str(config)}
        return commands.run([str(word) for word in words], known | environment)

    return command
