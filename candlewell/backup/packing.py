"""The packed database: gzip, which every machine can unpack, made by zlib-ng.

At level 3 it packs a database of candles to 17% at 300 MB a second; Python's own gzip takes five times as long for the
16% of its level 6.
"""

from __future__ import annotations

import shutil
from gzip import BadGzipFile
from typing import TYPE_CHECKING, Any

from zlib_ng import zlib_ng
from zlib_ng.gzip_ng import GzipNGFile

from candlewell.backup.errors import BadBackup
from candlewell.backup.whole import CHUNK

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".gz"
_LEVEL = 3

# The package tells mypy less than there is: its class has no annotations, its error is declared as a value.
_gzip: Any = GzipNGFile
_DAMAGED: type[Exception] = zlib_ng.error  # type: ignore[assignment]


def pack(plain: Path, packed: Path) -> None:
    """Writes a packed copy of that file."""
    with plain.open("rb") as source, _gzip(packed, "wb", compresslevel=_LEVEL) as target:
        shutil.copyfileobj(source, target, CHUNK)


def unpack(packed: Path, plain: Path) -> None:
    """Writes an unpacked copy of that file; one that is not packed is copied.

    Raises:
        BadBackup: it is damaged or cut short.
    """
    if packed.suffix != SUFFIX:
        shutil.copyfile(packed, plain)
        return
    try:
        with _gzip(packed, "rb") as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
    except (BadGzipFile, EOFError, _DAMAGED) as error:
        raise BadBackup(f"{packed}: expected a whole gzip file, found: {error}") from None
