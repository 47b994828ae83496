"""One process per name: a daemon holds the lock of its name for as long as it lives.

The lock is the kernel's (flock), on a file beside the database, so it holds across the containers of one
machine, and `kill -9` releases it at once. Each also shares the lock of the folder that these files are in; who has that
one alone (`everyone_out`) knows that no daemon runs and that none can start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TextIO

from common.database_failures import DatabaseFull, is_full, no_space
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "locks"


class Instance:
    """The claim of one process to a name."""

    def __init__(self, folder: Path, name: str, *, key: str) -> None:
        """Claims the name.

        Args:
            folder: where the database lies; the lock is made in its folder `locks`.
            name: a daemon's name: `backfiller`, or a strategy_id.
            key: what the user changes to run a second one, for the message.

        Raises:
            ConfigurationError: a running process holds the name, its file cannot be written, or a restore is under way.
            DatabaseFull: there is no room for it on the disk.
        """
        path = folder / FOLDER / f"{name}.lock"
        try:
            path.parent.mkdir(exist_ok=True)
            self._all = _opened(path.parent)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            self._file = path.open("a+", encoding="utf-8")
        except OSError as error:
            os.close(self._all)
            raise _unusable(path, error) from error
        if not _is_ours(self._file, fcntl.LOCK_EX):
            holder = _holder(self._file)
            self.release()
            raise ConfigurationError(
                f"{key}: expected a name that no running process has, found {name!r}, running as {holder}"
            )
        if not _is_ours(self._all, fcntl.LOCK_SH):
            self.release()
            raise ConfigurationError(
                f"{path.parent}: expected no restore to be under way, found one: start again when it has ended"
            )
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {os.uname().nodename}")
        with contextlib.suppress(OSError):  # the lock is held; its holder's name is for messages
            self._file.flush()

    def release(self) -> None:
        """Gives the name back."""
        with contextlib.suppress(OSError):
            self._file.close()
        os.close(self._all)


@contextmanager
def everyone_out(folder: Path) -> Iterator[None]:
    """For as long as this lasts no daemon works on the database in that folder, and none can start.

    Raises:
        ConfigurationError: some run, named in the message; or the locks cannot be used.
    """
    locks = folder / FOLDER
    with ExitStack() as held:
        try:
            locks.mkdir(exist_ok=True)
            everyone = _opened(locks)
            held.callback(os.close, everyone)
            running = []
            # One by one too: for their names, and for daemons of a release that did not share the folder's lock.
            for path in sorted(locks.glob("*.lock")):
                file = held.enter_context(path.open("a+", encoding="utf-8"))
                if not _is_ours(file, fcntl.LOCK_EX):
                    running.append(f"{path.stem} ({_holder(file)})")
        except OSError as error:
            raise _unusable(locks, error) from None
        if not _is_ours(everyone, fcntl.LOCK_EX) and not running:
            running.append("one that has just started, or another restore")
        if running:
            raise ConfigurationError(
                f"{folder}: expected no running daemon, found {', '.join(running)}: stop all of them first"
            )
        yield


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _is_ours(file: TextIO | int, how: int) -> bool:
    """Takes that lock, if it is to be had."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: TextIO) -> str:
    file.seek(0)
    return file.read().strip()


def _unusable(path: Path, error: OSError) -> ConfigurationError | DatabaseFull:
    if is_full(error):
        return no_space(path)
    return ConfigurationError(
        f"{path}: expected a file that user id {os.geteuid()} can write, found: {error.strerror}"
    )
