"""Rows of comma-separated text: our CSV, Binance's and Kraken's, and freqtrade's JSON turned into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backfiller.files import text
from backfiller.files.errors import BadFile
from backfiller.files.formats import Format, header_of
from backfiller.files.frame import COLUMNS, NUMBERS, SCHEMA, Block
from common.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMES = ("timestamp", "timestamp_ms", "open_time", "time")
_WIDTH = {Format.BINANCE: 12, Format.KRAKEN: 7, Format.CSV: 6}
_SPACE = b" \t\r\n"
_MISSING = ("", "null", "None")


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of a text: how many, and at which place each of ours is."""

    width: int
    places: dict[str, int]

    def schema(self) -> dict[str, pl.DataType]:
        names = {place: name for name, place in self.places.items()}
        return {
            names.get(place, f"other{place}"): SCHEMA.get(names.get(place, ""), pl.String())
            for place in range(self.width)
        }


def delimited(path: Path, kind: Format) -> Iterator[Block]:
    """The rows of a CSV file in any of its formats, times as they are written; places are line numbers.

    Raises:
        BadFile: it cannot be read, lacks a column, or has text in a number; names the line.
    """
    line = text.first_line(path)
    header = header_of(line) if line else None
    layout = _layout(path, kind, header, line.count(",") + 1)
    with text.opened(path) as opened:
        at = 1
        for block in text.blocks(opened, path):
            lines = block
            if at == 1 and header is not None:
                lines = block[block.find(b"\n") + 1 :] if b"\n" in block else b""
                at = 2
            whole = lines[: lines.rfind(b"\n") + 1]
            if whole:
                yield _parsed(path, whole, layout, at)
                at += whole.count(b"\n")
            if whole != lines:
                raise BadFile(
                    f"{path}: line {at}: expected the end of a line, found that of the file: what may be cut short "
                    "was not stored, the lines before it were"
                )


def _layout(path: Path, kind: Format, header: list[str] | None, columns: int) -> _Layout:
    if header is None:
        if columns != _WIDTH[kind]:
            raise BadFile(f"{path}: line 1: expected {_WIDTH[kind]} columns, found {columns}")
        return _Layout(columns, {name: place for place, name in enumerate(COLUMNS)})
    time = next((name for name in _TIMES if name in header), None)
    missing = [name for name in NUMBERS if name not in header]
    if time is None or missing:
        lacking = ", ".join([*(["timestamp"] if time is None else []), *missing])
        raise BadFile(
            f"{path}: expected the columns {', '.join(COLUMNS)}, found no {lacking} in {','.join(header)[:120]!r}"
        )
    places = {"timestamp": header.index(time)} | {name: header.index(name) for name in NUMBERS}
    return _Layout(len(header), places)


def freqtrade_json(path: Path, tail: bytes) -> Iterator[Block]:
    """The rows of freqtrade's JSON: brackets are all that tells it from comma-separated text.

    `tail` is how the file ends: a number that is cut short would look like another one.

    Raises:
        BadFile: it is not a list of lists of numbers; names the row.
    """
    if not tail.translate(None, _SPACE).endswith((b"]]", b"[]")):
        raise BadFile(f"{path}: expected a list that ends with ]], found {tail[-20:]!r}")
    layout = _Layout(len(COLUMNS), {name: place for place, name in enumerate(COLUMNS)})
    with text.opened(path) as opened:
        row = 1
        for block in _without_brackets(path, opened):
            yield _parsed(path, block, layout, row, word="row")
            row += block.count(b"\n")


def _without_brackets(path: Path, opened: text.Text) -> Iterator[bytes]:
    """The JSON as lines of text, one for each inner list."""
    begun = False
    for block in text.blocks(opened, path, end=b"],"):
        dense = block.translate(None, _SPACE)
        if not begun:
            if not dense.startswith((b"[[", b"[]")):
                raise BadFile(
                    f"{path}: expected [[milliseconds, open, high, ...], ...], found {dense[:40]!r}"
                )
            dense, begun = dense[1:], True
        lines = dense.replace(b"],", b"\n").translate(None, b"[]")
        if lines:
            yield lines


def _parsed(path: Path, lines: bytes, layout: _Layout, first: int, word: str = "line") -> Block:
    try:
        frame = pl.read_csv(
            lines,
            has_header=False,
            schema=layout.schema(),
            columns=sorted(layout.places.values()),
            null_values=list(_MISSING),
            missing_columns="insert",
            raise_if_empty=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        wrong = (
            _first_wrong(lines, layout, first, word)
            or f"{word} {first} or after: {shown(str(error))}"
        )
        raise BadFile(f"{path}: {wrong}") from None
    return Block(frame.select(COLUMNS), first)


def _first_wrong(lines: bytes, layout: _Layout, first: int, word: str) -> str | None:
    """Which line of a block cannot be read, and why: looked for only when one cannot."""
    for number, line in enumerate(lines.split(b"\n"), first):
        fields = [field.strip().strip('"') for field in line.decode(errors="replace").split(",")]
        if len(fields) > layout.width:
            return f"{word} {number}: expected {layout.width} columns, found {len(fields)}"
        for name, place in layout.places.items():
            field = fields[place] if place < len(fields) else ""
            whole = name == "timestamp"
            if field not in _MISSING and not _is_number(field, whole=whole):
                kind = "a whole number" if whole else "a number"
                return f"{word} {number}: {name}: expected {kind}, found {field[:40]!r}"
    return None


def _is_number(field: str, *, whole: bool) -> bool:
    try:
        frame = pl.Series([field]).cast(pl.Int64 if whole else pl.Float64)
    except pl.exceptions.PolarsError:
        return False
    return frame.len() == 1
