"""The archive's month files in the folder of the backups: each version of a month once, whatever backups need it.

    <folder>/archive/binance/BTC-USDT/1h/2024-01-<first 16 digits of its SHA-256>.parquet

A month's file is never changed, but it may be replaced by one with more candles of that month; so the hash is part
of the name. Copies, not links: a backup is to be on another disk.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from candlewell.backup.errors import BackupFailed, BadBackup
from candlewell.backup.manifest import File
from candlewell.backup.whole import copy_whole, digest, digest_of
from common.archive import FOLDER, SUFFIX, BadArchive, read_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_DIGITS = 16


def store(source: Path, folder: Path) -> tuple[File, ...]:
    """Copies what is new of a data folder's archive, and says which files are the archive now.

    Args:
        source: the archive's own folder.
        folder: where the backups are.

    Raises:
        BackupFailed: a file could not be read, or its copy is not what it was.
    """
    return tuple(_store(path, source, folder) for path in _files_of(source))


def _store(path: Path, source: Path, folder: Path) -> File:
    try:
        # Opened once: an archiver that replaces the file meanwhile gives another one its name.
        with path.open("rb") as opened:
            file = File.of(path.relative_to(source).as_posix(), digest_of(opened))
            target = stored_at(file, folder)
            if not target.is_file() or target.stat().st_size != file.size:
                copy_whole(opened, target)
                file.require(target)
    except OSError as error:
        raise BackupFailed(f"{path}: expected to be copied, found: {error.strerror}") from None
    except BadBackup as error:
        raise BackupFailed(str(error)) from None
    return file


def stored_at(file: File, folder: Path) -> Path:
    """Where that version of a month is kept in the folder of the backups."""
    path = PurePosixPath(file.path)
    name = f"{path.stem}-{file.sha256[:_DIGITS]}{path.suffix}"
    return folder / FOLDER / path.with_name(name)


def require(files: Sequence[File], folder: Path) -> None:
    """Reads all of them.

    Raises:
        BadBackup: one is missing or damaged.
    """
    for file in files:
        file.require(stored_at(file, folder))


def bring_back(files: Sequence[File], folder: Path, archive: Path) -> tuple[int, list[str]]:
    """Copies to the archive what it lacks; adds only, so that it may be done before anything else is changed.

    A month that has another file now keeps it if it can be read: archiving only ever adds candles to a month. One that
    cannot be read is replaced.

    Returns:
        How many files were copied, and what there is to say about others.

    Raises:
        BadBackup: a file of the backup is missing or damaged.
    """
    copied, said = 0, []
    for file in files:
        target = archive / file.path
        if target.is_file():
            if digest(target).sha256 == file.sha256:
                continue
            try:
                read_file(target)
            except BadArchive as error:
                said.append(f"{error}; replaced")
            else:
                said.append(f"{target}: is another version of that month, and stays")
                continue
        stored = stored_at(file, folder)
        file.require(stored)
        with stored.open("rb") as opened:
            copy_whole(opened, target)
        copied += 1
    return copied, said


def prune(folder: Path, needed: Collection[File]) -> list[Path]:
    """Removes what no backup names any more; returns it."""
    kept = {stored_at(file, folder) for file in needed}
    gone = [path for path in _files_of(folder / FOLDER) if path not in kept]
    for path in gone:
        path.unlink()
    return gone


def _files_of(archive: Path) -> Iterator[Path]:
    for path in sorted(archive.rglob(f"*{SUFFIX}")):
        if path.is_file() and not path.is_symlink():
            yield path
