"""What tests of several parts share: a fresh shared database, and waiting on a condition."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from common.database import Database


@pytest.fixture(scope="session")
def _made_database(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("made") / "trading.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def database_url(_made_database, tmp_path) -> str:
    """The URL of a new shared database of today's version, in a folder of its own."""
    path = tmp_path / "trading.db"
    shutil.copy(_made_database, path)
    return f"sqlite:///{path}"


@pytest.fixture
def database(database_url) -> Iterator[Database]:
    """That database, opened."""
    opened = schema.open_database(database_url)
    yield opened
    opened.close()
