"""What a backup says of itself: `manifest.json`, with a hash of everything that belongs to it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from candlewell.backup.errors import BadBackup
from candlewell.backup.whole import Digest, digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class File:
    """A file that belongs to a backup: its path below the folder that it is restored to."""

    path: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise BadBackup(f"path of a file: expected one inside its folder, found {self.path!r}")

    @classmethod
    def of(cls, path: str, found: Digest) -> File:
        """A file with that path and digest."""
        return cls(path, found.size, found.sha256)

    def require(self, path: Path) -> None:
        """Reads what lies there and compares.

        Raises:
            BadBackup: it is missing or another one.
        """
        try:
            found = digest(path)
        except OSError as error:
            raise BadBackup(
                f"{path}: expected {self.path} of the backup, found: {error.strerror}"
            ) from None
        if found != Digest(self.size, self.sha256):
            raise BadBackup(
                f"{path}: expected {self.size} bytes with SHA-256 {self.sha256[:16]}..., "
                f"found {found.size} with {found.sha256[:16]}..."
            )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What belongs to a backup.

    `made_at` is in milliseconds UTC; `version` and `rows` are the database's; `unpacked_bytes` its size. The archive's
    files lie in the folder that all backups share, those of the configuration in the backup's own.
    """

    made_at: int
    version: str | None
    rows: Mapping[str, int]
    unpacked_bytes: int
    database: File
    archive: tuple[File, ...] = ()
    config: tuple[File, ...] = ()

    def write(self, folder: Path) -> None:
        """Writes it into a backup's folder."""
        text = json.dumps({"format": _FORMAT, **asdict(self)}, indent=1)
        (folder / NAME).write_text(f"{text}\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of the backup in that folder.

        Raises:
            BadBackup: it cannot be read, or is of a newer program.
        """
        path = folder / NAME
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if (kind := found.pop("format")) != _FORMAT:
                raise BadBackup(
                    f"{path}: expected format {_FORMAT}, found {kind!r}: use a newer Candlewell"
                )
            return cls(
                made_at=int(found["made_at"]),
                version=found["version"],
                rows={str(name): int(count) for name, count in found["rows"].items()},
                unpacked_bytes=int(found["unpacked_bytes"]),
                database=_file(found["database"]),
                archive=tuple(_file(one) for one in found["archive"]),
                config=tuple(_file(one) for one in found["config"]),
            )
        except OSError as error:
            raise BadBackup(f"{path}: expected a manifest, found: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadBackup(f"{path}: expected a manifest, found: {error!r}") from None


def _file(found: Any) -> File:
    return File(str(found["path"]), int(found["size"]), str(found["sha256"]))
