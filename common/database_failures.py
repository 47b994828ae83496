"""What a failed read or write of the database file means: it is full, or it cannot be used any more."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from common.errors import CandlewellError, TransientError
from common.filesystem import has_room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_UNUSABLE = {  # what SQLite says, and what a person should look at
    "disk I/O error": "the disk failed: look at the system's log",
    "readonly database": "the file or its disk has become read-only",
    "unable to open database file": "the file or its folder is gone, or may not be opened any more",
    "disk image is malformed": "the file is damaged: restore a backup",
    "is not a database": "the file is damaged: restore a backup",
}


class DatabaseFull(TransientError):
    """There is no room for what was to be written; the transaction did not happen."""


class DatabaseUnusable(CandlewellError):
    """The file can no longer be read or written: the daemon ends with status 74 and one line that says why."""

    status = 74  # EX_IOERR of sysexits.h


def meaning(error: BaseException, path: Path) -> CandlewellError | None:
    """What an error of the driver means for who uses the database at `path`; None: nothing known.

    SQLite says "disk I/O error" for some writes that a full disk or a quota refuses, so that is looked
    into.
    """
    text = str(error)
    if "is full" in text:
        return DatabaseFull(f"{path}: {text}")
    what = next((advice for said, advice in _UNUSABLE.items() if said in text), None)
    if what is None:
        return None
    if "disk I/O error" in text and not has_room(path.parent):
        return no_space(path)
    return DatabaseUnusable(f"{path}: {text}: {what}")


def no_space(path: Path) -> DatabaseFull:
    """The error of a full disk that SQLite has told in other words."""
    return DatabaseFull(f"{path}: no space left on its disk")


def is_full(error: BaseException) -> bool:
    """Whether that is a full disk, in the database or in another file."""
    return isinstance(error, DatabaseFull) or (
        isinstance(error, OSError) and error.errno in _NO_SPACE
    )


@contextmanager
def told_apart(engine: sa.Engine, path: Path) -> Iterator[None]:
    """For what is asked of the driver itself, past the engine: see `tell_errors_apart`."""
    try:
        yield
    except engine.dialect.loaded_dbapi.Error as error:
        found = meaning(error, path)
        if found is None:
            raise
        raise found from error


def tell_errors_apart(engine: sa.Engine, path: Path) -> None:
    """From now on the engine raises DatabaseFull and DatabaseUnusable for what means that."""

    @sa.event.listens_for(engine, "handle_error")
    def _on_error(context: sa.engine.ExceptionContext) -> CandlewellError | None:
        return meaning(context.original_exception, path)


def first_of(error: BaseException, kind: type[CandlewellError]) -> CandlewellError | None:
    """The first error of that kind in it: tasks that fail together come as a group."""
    if isinstance(error, BaseExceptionGroup):
        found = (first_of(each, kind) for each in error.exceptions)
        return next((each for each in found if each is not None), None)
    return error if isinstance(error, kind) else None
