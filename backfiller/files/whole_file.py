"""A file that is there whole or not at all, whenever the process or the power goes."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Another name in the same folder to write to; it gets the file's own name once it is on the disk.

    A file that was there before stays until then. What a killed process left is overwritten.

    Raises:
        ConfigurationError: the folder cannot be made or written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        _make_folder(path.parent)
        yield unfinished
        _flush(unfinished)
        unfinished.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: expected a file that can be written, found: {error.strerror or error}"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Makes a folder with those above it; each is on the disk when this returns."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        _flush(place.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
