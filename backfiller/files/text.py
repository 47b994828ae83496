"""Text of any size, plain or packed, in blocks of whole lines."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from contextlib import contextmanager
from io import SEEK_END, BufferedReader
from typing import TYPE_CHECKING, Protocol

from backfiller.files.errors import BadFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK_BYTES = 4 << 20
_TAIL = 64
_LONGEST_LINE = 64 << 10
_BOM = b"\xef\xbb\xbf"


class Text(Protocol):
    """An open file, packed or not."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...

    def readline(self, size: int = -1, /) -> bytes:
        """One line with its end."""
        ...


@contextmanager
def opened(path: Path) -> Iterator[Text]:
    """The text in a file, unpacked if it is gzip or a zip of one file, which its first bytes tell.

    Raises:
        BadFile: it cannot be read, a packed file is damaged, or a zip holds none or several.
    """
    try:
        with path.open("rb") as raw:
            begin = raw.read(4)
            raw.seek(0)
            if begin[:2] == b"\x1f\x8b":
                with gzip.GzipFile(fileobj=raw) as text:
                    yield text
            elif begin == b"PK\x03\x04" or path.suffix.lower() == ".zip":
                with (
                    zipfile.ZipFile(raw) as packed,
                    packed.open(_only_member(packed, path)) as text,
                ):
                    yield text
            else:
                yield raw
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadFile(f"{path}: expected a whole packed file, found: {error}") from None
    except (NotImplementedError, RuntimeError) as error:  # zipfile's words for a cipher or a method
        raise BadFile(f"{path}: expected a zip that can be unpacked, found: {error}") from None
    except OSError as error:
        raise BadFile(f"{path}: expected a file that can be read: {error.strerror}") from None


def _only_member(packed: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [member for member in packed.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise BadFile(f"{path}: expected a zip of one file, found {len(members)}: unpack it first")
    return members[0]


def require_file(path: Path) -> None:
    """Raises BadFile if there is no such file."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "none"
        raise BadFile(f"{path}: expected a file, found {found}")


def tail_of(path: Path) -> bytes:
    """The last bytes of the text in a file. A packed file is unpacked once for it, and so known to be whole.

    Raises:
        BadFile: see `opened`.
    """
    with opened(path) as text:
        if isinstance(text, BufferedReader):
            text.seek(-min(_TAIL, path.stat().st_size), SEEK_END)
            return text.read()
        tail = b""
        while read := text.read(_BLOCK_BYTES):
            tail = (tail + read)[-_TAIL:]
        return tail


def first_line(path: Path) -> str:
    """The first line of the text in a file, without its end.

    Raises:
        BadFile: see `opened`; or it is no text.
    """
    with opened(path) as text:
        line = text.readline(_LONGEST_LINE).removeprefix(_BOM)
    try:
        return line.decode().strip()
    except UnicodeDecodeError:
        raise BadFile(f"{path}: expected text, found bytes that are none") from None


def blocks(text: Text, path: Path, *, end: bytes = b"\n") -> Iterator[bytes]:
    """The text in blocks of a few megabytes, each of which stops after an `end`, but for the last.

    Raises:
        BadFile: no `end` is found for far longer than a line is.
    """
    rest = text.read(len(_BOM)).removeprefix(_BOM)
    while read := text.read(_BLOCK_BYTES):
        block = rest + read
        cut = block.rfind(end) + len(end)
        if cut < len(end):
            if len(block) > _LONGEST_LINE:
                raise BadFile(f"{path}: expected lines, found {len(block)} bytes without an end")
            rest = block
            continue
        yield block[:cut]
        rest = block[cut:]
    if rest:
        yield rest
