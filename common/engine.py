"""The SQLite engine that the suite runs on, and why some versions of it may not write.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL-mode file when a checkpoint and another connection's write
meet in a small window (the "WAL-reset bug"); many processes writing one file is what this suite
does. The fix is in 3.51.3 and was carried back to 3.50.7 and 3.44.6; 3.52.0 was withdrawn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from types import ModuleType

Version = tuple[int, int, int]


def has_wal_reset_bug(version: Version) -> bool:
    """Whether that version of SQLite can corrupt a WAL file that several processes write."""
    if version < (3, 7, 0) or version >= (3, 53, 0):
        return False
    fixed_from = {(3, 44): (3, 44, 6), (3, 50): (3, 50, 7), (3, 51): (3, 51, 3)}
    fix = fixed_from.get(version[:2])
    return fix is None or version < fix


def load_driver() -> ModuleType:
    """The DB-API module to use: pysqlite3, which carries a fixed engine, or Python's own.

    Raises:
        ConfigurationError: neither has an engine that may write.
    """
    found = []
    for name in ("pysqlite3.dbapi2", "sqlite3"):
        try:
            driver = importlib.import_module(name)
        except ImportError:
            continue
        if not has_wal_reset_bug(driver.sqlite_version_info):
            return driver
        found.append(f"{name.partition('.')[0]} with SQLite {driver.sqlite_version}")
    raise ConfigurationError(
        "SQLite: expected an engine without the WAL-reset bug (3.53 or newer, or 3.51.3, 3.50.7, 3.44.6), "
        f"found {' and '.join(found)}; install the pysqlite3 wheel or use the project's image"
    )
