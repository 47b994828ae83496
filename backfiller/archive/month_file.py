"""The file of one archived month: written whole, on the disk, and read back before anyone relies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backfiller.files.frame import frame_of
from backfiller.files.whole_file import replacing
from common.archive import BadArchive, read_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from common.market_data import Row


def merged(archived: Sequence[Row], stored: Sequence[Row]) -> list[Row]:
    """The candles of both, oldest first; where they differ, the database's."""
    rows = {row[0]: row for row in archived} | {row[0]: row for row in stored}
    return [rows[timestamp] for timestamp in sorted(rows)]


def write(path: Path, rows: Sequence[Row]) -> None:
    """Writes the file, or replaces it; it is on the disk when this returns.

    Raises:
        ConfigurationError: it cannot be written.
    """
    with replacing(path) as unfinished:
        frame_of(rows).write_parquet(unfinished, compression="zstd", statistics=True)


def require_equal(path: Path, rows: Sequence[Row]) -> None:
    """Reads the file back and compares it, row by row.

    Raises:
        BadArchive: it cannot be read, or does not hold exactly these candles.
    """
    found = read_file(path)
    if found == list(rows):
        return
    differing = next((pair for pair in zip(rows, found, strict=False) if pair[0] != pair[1]), None)
    what = (
        f"{differing[0]}, found {differing[1]}"
        if differing
        else f"{len(rows)} rows, found {len(found)}"
    )
    raise BadArchive(f"{path}: expected {what}; nothing was deleted from the database")
