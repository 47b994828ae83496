"""Which formats there are, and how a file's is recognised: by its name, then by its first line."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from backfiller.files.errors import BadFile
from backfiller.files.text import first_line
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


class Format(Enum):
    """A kind of file that candles come in. The value is its name as an option."""

    CSV = "csv"  # a header with our columns, in any order, times in milliseconds
    PARQUET = "parquet"  # our columns
    BINANCE = "binance"  # twelve columns, in a zip or not, times in milli- or microseconds
    KRAKEN = "kraken"  # seven columns without a header, times in seconds
    JSON = "json"  # freqtrade: [[milliseconds, open, high, low, close, volume], ...]
    FEATHER = "feather"  # freqtrade: date, open, high, low, close, volume


_SUFFIXES = {
    ".parquet": Format.PARQUET,
    ".feather": Format.FEATHER,
    ".arrow": Format.FEATHER,
    ".json": Format.JSON,
}
_TEXT_SUFFIXES = (".csv", ".zip")
_BY_COLUMNS = {12: Format.BINANCE, 7: Format.KRAKEN}


def suffix_of(path: Path) -> str:
    """The end of a file's name that tells its format: `.csv` of `a.csv.gz`."""
    suffixes = path.suffixes[:-1] if path.suffix.lower() == ".gz" else path.suffixes
    return suffixes[-1].lower() if suffixes else ""


def format_of(path: Path) -> Format:
    """The format of a file.

    Raises:
        ConfigurationError: it cannot be known; names the option to give.
        BadFile: the file cannot be read.
    """
    suffix = suffix_of(path)
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if suffix in _TEXT_SUFFIXES:
        return _format_of_text(path)
    names = ", ".join(kind.value for kind in Format)
    raise ConfigurationError(
        f"{path}: expected --format (one of {names}) for a name that does not tell, found none"
    )


def _format_of_text(path: Path) -> Format:
    line = first_line(path)
    if not line:
        raise BadFile(f"{path}: expected candles, found an empty file")
    names = header_of(line)
    if names is not None:
        return Format.BINANCE if "open_time" in names else Format.CSV
    columns = line.count(",") + 1
    if columns in _BY_COLUMNS:
        return _BY_COLUMNS[columns]
    raise ConfigurationError(
        f"{path}: expected --format, or a first line that names the columns (timestamp,open,high,low,close,"
        f"volume), found {line[:80]!r}"
    )


def header_of(line: str) -> list[str] | None:
    """The column names in a first line, in lower case; None if it holds numbers, so is no header."""
    fields = [field.strip().strip('"').lower() for field in line.split(",")]
    try:
        float(fields[0])
    except ValueError:
        return fields
    return None
