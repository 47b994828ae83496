"""One process per name: a daemon holds the lock of its name for as long as it lives.

The lock is the kernel's (flock), on a file beside the database, so it holds across the containers of one
machine, and `kill -9` releases it at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from common.database_failures import is_full, no_space
from common.errors import ConfigurationError

if TYPE_CHECKING:
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
            ConfigurationError: a running process holds the name, or its file cannot be written.
            DatabaseFull: there is no room for it on the disk.
        """
        path = folder / FOLDER / f"{name}.lock"
        try:
            path.parent.mkdir(exist_ok=True)
            self._file = path.open("a+", encoding="utf-8")
        except OSError as error:
            if is_full(error):
                raise no_space(path) from error
            raise ConfigurationError(
                f"{path}: expected a file that user id {os.geteuid()} can write, found: {error.strerror}"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise ConfigurationError(
                f"{key}: expected a name that no running process has, found {name!r}, running as {holder}"
            ) from None
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {os.uname().nodename}")
        with contextlib.suppress(OSError):  # the lock is held; its holder's name is for messages
            self._file.flush()

    def release(self) -> None:
        """Gives the name back."""
        with contextlib.suppress(OSError):
            self._file.close()
