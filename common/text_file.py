"""Text files that a user names: read no further than they, or their lines, may be long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO


class TooLong(ValueError):
    """There is more than its reader takes."""


def read_text(file: Path, *, most_bytes: int) -> str:
    """What the file holds, as UTF-8.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is no text.
        ValueError: no file can have that name.
        TooLong: it has more bytes than that; the rest is not read, should it never end.
    """
    with file.open("rb") as opened:
        content = opened.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise TooLong(f"more than {most_bytes:,} bytes")
    return content.decode("utf-8")


def lines_of(opened: IO[str], *, longest: int) -> Iterator[str]:
    """The lines of an open file with their ends.

    Raises:
        TooLong: one has more characters than that; no more of it is read.
    """
    while line := opened.readline(longest + 1):
        if len(line) > longest:
            raise TooLong(f"a line of more than {longest:,} characters")
        yield line
