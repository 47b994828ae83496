"""Files and folders that are there whole or not at all, and are on the disk when somebody relies on them."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from candlewell.backup.errors import BackupFailed
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1 << 20
UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class Digest:
    """How many bytes, and their SHA-256."""

    size: int
    sha256: str


def flush(path: Path) -> None:
    """Has the disk keep that file, or a folder's list of files."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_tree(folder: Path) -> None:
    """The same for a folder with all that is in it."""
    for path in sorted(folder.rglob("*")):
        flush(path)
    flush(folder)


def digest_of(file: BinaryIO) -> Digest:
    """Reads it from its begin."""
    file.seek(0)
    size, sha256 = 0, hashlib.sha256()
    while chunk := file.read(CHUNK):
        size += len(chunk)
        sha256.update(chunk)
    return Digest(size, sha256.hexdigest())


def digest(path: Path) -> Digest:
    """The same of the file at that path."""
    with path.open("rb") as file:
        return digest_of(file)


def copy_whole(source: BinaryIO, target: Path) -> None:
    """Copies a file to that path; it has its name once it is on the disk."""
    unfinished = target.with_name(f".{target.name}{UNFINISHED}")
    make_folder(target.parent)
    source.seek(0)
    with unfinished.open("wb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)
    flush(unfinished)
    unfinished.replace(target)
    flush(target.parent)


def make_folder(folder: Path) -> None:
    """Makes a folder with those above it.

    Raises:
        ConfigurationError: it cannot be made.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: expected a folder that user id {os.geteuid()} can make, found: {error.strerror}"
        ) from None
    for place in missing:
        flush(place.parent)


def remove_whole(path: Path) -> None:
    """Removes a folder or a file so that a half-removed one does not have its name any more."""
    doomed = path.with_name(f".{path.name}{UNFINISHED}")
    path.rename(doomed)
    remove(doomed)


def remove(path: Path) -> None:
    """Removes a folder or a file, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """What a killed process left there."""
    for path in folder.rglob(f".*{UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):  # inside of a folder that has just gone
            remove(path)


@contextmanager
def folder_to_ourselves(folder: Path) -> Iterator[None]:
    """Keeps other backups out of that folder, and restores too.

    Raises:
        BackupFailed: one is running.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(
                f"{folder}: expected no other backup or restore, found one that runs"
            ) from None
        yield
    finally:
        os.close(descriptor)
