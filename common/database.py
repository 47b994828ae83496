"""Connections to the shared database: how they are opened, read from and written to.

Writers of one file wait for each other. SQLite's own busy timeout makes traders that one candle woke
wait in step, so it is off here; a transaction that finds the lock taken tries again after a random
few milliseconds, up to a deadline.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import contextmanager
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from common.database_failures import no_space, tell_errors_apart, told_apart
from common.database_files import DatabaseFiles
from common.engine import load_driver
from common.errors import ConfigurationError, TransientError
from common.filesystem import has_room, require_local
from common.given import require_variables, require_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

DEFAULT_URL = "sqlite:///data/trading.db"
_LOCK_DEADLINE_S = 10.0
_RETRY_S = (0.001, 0.012)
_WRITE = "candlewell_write"


class Durability(Enum):
    """What a commit survives. The value is SQLite's `synchronous`."""

    POWER_CUT = "FULL"  # ledgers: an acknowledged order is on the disk
    PROCESS_CRASH = "NORMAL"  # market data: it can be fetched again


class DatabaseLocked(TransientError):
    """Another process held the write lock until the deadline."""


class Database:
    """The shared database, opened. Threads may share it; a transaction belongs to one thread."""

    def __init__(self, engine: sa.Engine, path: Path, files: DatabaseFiles) -> None:
        self.engine = engine
        self.path = path
        self._files = files

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent snapshot. Read, leave: an open snapshot keeps the WAL from being reset."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that has the write lock from its first statement, and commits at its end.

        Raises:
            DatabaseLocked: the lock was not to be had within 10 seconds.
            DatabaseFull: there was no room; nothing of it was written.
            DatabaseUnusable: the file cannot be written any more.
        """
        connecting = self.engine.connect().execution_options(**{_WRITE: True})
        with connecting as connection, connection.begin():
            yield connection

    def require_files(self) -> None:
        """Goes on if the files that were opened are still at their path.

        Raises:
            DatabaseUnusable: one was removed or replaced.
        """
        self._files.require_all()

    def close(self) -> None:
        """Closes every connection. The object is of no use afterwards."""
        self.engine.dispose()


def connect(
    url: str,
    *,
    durability: Durability = Durability.POWER_CUT,
    checkpoint_pages: int = 10_000,
    create: bool = False,
) -> Database:
    """Opens the database at a SQLAlchemy URL.

    Args:
        url: `sqlite:///relative/path` or `sqlite:////absolute/path`.
        durability: what a commit of this process survives.
        checkpoint_pages: after how many pages of WAL a commit also checkpoints. The backfiller does
            the checkpoints for all; the others keep a high number as a fallback.
        create: whether a missing file is made, with its folder.

    Raises:
        ConfigurationError: the URL, the file, its file system or the SQLite engine cannot serve.
        DatabaseFull: there is no room for the files that SQLite makes beside it.
    """
    path = path_of(url)
    if create:
        _make_folder(path.parent)
    _require_usable(path, create=create)
    require_local(path.parent)
    driver = load_driver()
    if not path.exists():
        _make_file(path, driver)
    engine = sa.create_engine(
        f"sqlite:///{path}",
        module=driver,
        # mode=rw: a further connection must not make an empty database where the file has been removed.
        creator=lambda: driver.connect(
            f"{path.as_uri()}?mode=rw", uri=True, timeout=0, check_same_thread=False
        ),
        pool_size=2,
        max_overflow=8,
    )
    files = DatabaseFiles(path)
    _set_up(engine, files, driver.OperationalError, durability, checkpoint_pages)
    try:
        with engine.connect():
            pass
    except sa.exc.DatabaseError as error:
        engine.dispose()
        if not has_room(path.parent):
            raise no_space(path) from error
        raise ConfigurationError(
            f"DATABASE_URL: expected a SQLite database that can be written, found {path}: {error.orig}"
        ) from error
    tell_errors_apart(engine, path)
    return Database(engine, path, files)


def url_from(environment: Mapping[str, str] = os.environ) -> str:
    """`DATABASE_URL`, or the default.

    Raises:
        ConfigurationError: it is too long for one, or no text.
    """
    require_variables(environment, ["DATABASE_URL"])
    return environment.get("DATABASE_URL") or DEFAULT_URL


def path_of(url: str) -> Path:
    """The file that a database URL names, as an absolute path.

    Raises:
        ConfigurationError: it is not the URL of a SQLite file. No password is repeated.
    """
    require_words([url])
    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or path in {"", ":memory:"}:
        # Of a URL of another kind only that: the rest may hold a password, wherever it is misplaced.
        found = f"a URL of {url.partition(':')[0]!r}" if ":" in url else repr(url)
        raise ConfigurationError(f"DATABASE_URL: expected sqlite:///PATH, found {found}")
    return Path(path).absolute()


def _is_there(path: Path) -> bool:
    """Whether there is such a file or folder.

    Raises:
        ConfigurationError: nothing can have that name, or be looked for there.
    """
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"DATABASE_URL: expected a file that can be looked for, found {path}: {why}"
        ) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"DATABASE_URL: expected a folder that can be made, found {folder}: {error.strerror}"
        ) from error


def _make_file(path: Path, driver: ModuleType) -> None:
    """Makes an empty database whose freed pages can be given back a few at a time.

    That has to be chosen before the first table; later only a VACUUM, which stops all writers, can.
    """
    connection = driver.connect(str(path), isolation_level=None)
    try:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA user_version=0")
    finally:
        connection.close()


def _require_usable(path: Path, *, create: bool) -> None:
    """Refuses, before SQLite is asked, what would end in an error that says less."""
    is_there = _is_there(path)
    if not is_there and not create:
        raise ConfigurationError(
            f"DATABASE_URL: expected a database made by `python schema.py`, found no file {path}"
        )
    if is_there and not path.is_file():
        raise ConfigurationError(f"DATABASE_URL: expected a file, found the folder {path}")
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise ConfigurationError(
                f"DATABASE_URL: expected what user id {os.geteuid()} can write, found {place} "
                f"of user id {place.stat().st_uid}"
            )


def _set_up(
    engine: sa.Engine,
    files: DatabaseFiles,
    busy: type[Exception],
    durability: Durability,
    checkpoint_pages: int,
) -> None:
    """Has every new connection and every transaction of the engine begin as this suite needs."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, never by the driver
        for pragma in (
            "foreign_keys=ON",
            "journal_mode=WAL",
            f"synchronous={durability.value}",
            f"wal_autocheckpoint={checkpoint_pages}",
            "journal_size_limit=67108864",
            "mmap_size=0",
        ):
            patiently(busy, partial(connection.execute, f"PRAGMA {pragma}"))

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        files.require_file()
        cursor = connection.connection.driver_connection
        assert cursor is not None
        with told_apart(engine, files.path):
            if connection.get_execution_options().get(_WRITE):
                patiently(busy, lambda: cursor.execute("BEGIN IMMEDIATE"))
            else:
                cursor.execute("BEGIN")
                # The snapshot is taken by the first read, so that is what may find a lock.
                patiently(busy, lambda: cursor.execute("SELECT 1 FROM sqlite_schema").fetchone())


def patiently(
    busy: type[Exception], act: Callable[[], object], *, deadline_s: float | None = None
) -> None:
    """Does it, again and again while the database is locked, up to the deadline.

    Args:
        busy: the driver's class of errors, of which those about locks are waited out.
        act: what to do.
        deadline_s: how long; None: 10 seconds.

    Raises:
        DatabaseLocked: it was locked until the deadline.
    """
    patience_s = _LOCK_DEADLINE_S if deadline_s is None else deadline_s
    deadline = time.monotonic() + patience_s
    while True:
        try:
            act()
        except busy as error:
            if not _is_lock(error):
                raise
            if time.monotonic() > deadline:
                raise DatabaseLocked(
                    f"the database was locked by another process for {patience_s:.0f} s"
                ) from error
            time.sleep(random.uniform(*_RETRY_S))  # noqa: S311 - it spreads waiters, it hides nothing
        else:
            return


def _is_lock(error: Exception) -> bool:
    text = str(error)
    return "locked" in text or "busy" in text
