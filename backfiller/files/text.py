"""Text of any size, plain or packed, in blocks of whole lines."""

from __future__ import annotations

import gzip
import lzma
import struct
import zipfile
import zlib
from contextlib import contextmanager
from io import SEEK_END, BufferedReader
from typing import TYPE_CHECKING, Protocol

from backfiller.files.errors import BadFile
from common.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK_BYTES = 4 << 20
_TAIL = 64
# Candles are packed to a tenth; a file that unpacks to a thousand times its size is made to fill a disk or a day.
_MOST_RATIO = 200
_FREE_BYTES = 64 << 20  # up to here any ratio will do
_LONGEST_LINE = 64 << 10
_DAMAGED = (
    zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, ValueError,
)  # fmt: skip
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
                    yield _Unpacked(text, path)
            elif begin == b"PK\x03\x04" or path.suffix.lower() == ".zip":
                with (
                    zipfile.ZipFile(raw) as packed,
                    packed.open(_only_member(packed, path)) as text,
                ):
                    yield _Unpacked(text, path)
            else:
                yield raw
    except _DAMAGED as error:
        raise BadFile(f"{path}: expected a whole packed file, found: {shown(str(error))}") from None
    except (NotImplementedError, RuntimeError) as error:  # zipfile's words for a cipher or a method
        raise BadFile(
            f"{path}: expected a zip that can be unpacked, found: {shown(str(error))}"
        ) from None
    except OSError as error:
        why = error.strerror or error
        raise BadFile(f"{path}: expected a file that can be read, found: {why}") from None


class _Unpacked:
    """The text in a packed file, as much of it as a file of that size has any reason to hold.

    Reading raises BadFile where there is more.
    """

    def __init__(self, text: Text, path: Path) -> None:
        self._text = text
        self._path = path
        self._left = max(_FREE_BYTES, path.stat().st_size * _MOST_RATIO)

    def read(self, size: int = -1, /) -> bytes:
        """See Text."""
        return self._counted(self._text.read(size))

    def readline(self, size: int = -1, /) -> bytes:
        """See Text."""
        return self._counted(self._text.readline(size))

    def _counted(self, read: bytes) -> bytes:
        self._left -= len(read)
        if self._left < 0:
            raise BadFile(
                f"{self._path}: expected at most {_MOST_RATIO} times its size when unpacked, found more"
            )
        return read


def _only_member(packed: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [member for member in packed.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise BadFile(f"{path}: expected a zip of one file, found {len(members)}: unpack it first")
    return members[0]


def require_file(path: Path) -> None:
    """Raises BadFile if there is no such file."""
    try:
        is_file = path.is_file()
    except OSError as error:  # a name that is too long
        raise BadFile(f"{path}: expected a file, found: {error.strerror}") from None
    if not is_file:
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
