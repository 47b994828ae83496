"""Whether an open database still lies at its path.

A process keeps a file that was removed or replaced, writes to it, reads what it wrote, and notices nothing;
all of it is gone when the process ends. So each file's identity is kept from when it was opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.database_failures import DatabaseUnusable

if TYPE_CHECKING:
    from pathlib import Path

_BESIDE = ("-wal", "-shm")  # what every process that has the database open shares with the others


class DatabaseFiles:
    """The files of one open database. A look at one costs a microsecond."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beside = [path.with_name(f"{path.name}{end}") for end in _BESIDE]
        self._opened: dict[Path, tuple[int, int]] = {}

    def require_file(self) -> None:
        """Goes on if the file at the path is the one that was there the first time.

        Raises:
            DatabaseUnusable: it is gone, or another one.
        """
        self._require(self.path)

    def require_all(self) -> None:
        """The same of the files beside it too, for who has a connection that has read.

        Raises:
            DatabaseUnusable: one is gone, or another one.
        """
        for file in (self.path, *self._beside):
            self._require(file)

    def _require(self, file: Path) -> None:
        try:
            found = file.stat()
        except OSError:
            now = None
        else:
            now = (found.st_dev, found.st_ino)
        if now is None or self._opened.setdefault(file, now) != now:
            raise DatabaseUnusable(
                f"{file}: the file was removed or replaced while this ran: "
                "put the database in its place, and start again"
            )
