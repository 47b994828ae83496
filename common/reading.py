"""Opens the shared database for reading alone: whatever its version is, and without a wish to write."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.database import Database
from common.database_failures import tell_errors_apart
from common.database_files import DatabaseFiles
from common.engine import load_driver
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

_BUSY_S = 10


def open_for_reading(path: Path) -> Database:
    """The database in that file. Nothing is looked at yet: reading it raises what is wrong with it.

    An engine that must not write may read.
    """
    driver = _driver()

    def connect() -> Any:
        return driver.connect(
            f"{path.as_uri()}?mode=ro", uri=True, timeout=_BUSY_S, check_same_thread=False
        )

    engine = sa.create_engine(
        "sqlite://", module=driver, creator=connect, poolclass=sa.pool.NullPool
    )
    tell_errors_apart(engine, path)
    return Database(engine, path, DatabaseFiles(path))


def _driver() -> ModuleType:
    try:
        return load_driver()
    except ConfigurationError:
        return sqlite3
