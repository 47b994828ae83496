"""A list of things as a person wants it, a table, and as a program does, JSON.

Both are made of the same rows. JSON has every field: money as text with all its digits, times in ISO 8601, UTC.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from common.times import iso, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

Row = "Mapping[str, Any]"
_NOT_A_TERMINAL = 10_000  # columns: what is read by a program, or kept in a file, is not cut off


@dataclass(frozen=True, slots=True)
class Time:
    """A time in milliseconds UTC, which is written otherwise for a person than for a program."""

    ms: int


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its head, the row's field, and how that is written."""

    head: str
    field: str
    write: Callable[[Any], str] = str
    is_number: bool = False


def number(digits: int, *, signed: bool = False) -> Callable[[Any], str]:
    """Writes a number with so many digits after its point."""
    sign = "+" if signed else ""
    return lambda value: f"{value:{sign},.{digits}f}"


def plain(value: Decimal) -> str:
    """Writes a decimal with the digits it has, without zeros at its end."""
    return format(value.normalize(), "f")


def show(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    as_json: bool,
    nothing: str = "nothing",
) -> None:
    """Prints rows.

    Args:
        rows: what there is, each with the same fields.
        columns: those of the table.
        as_json: for a program.
        nothing: what a person is told where there is no row.
    """
    if as_json:
        click.echo(document(rows))
    elif not rows:
        click.echo(nothing)
    else:
        console().print(table(rows, columns))


def document(value: Any) -> str:
    """A JSON document."""
    return json.dumps(value, indent=2, default=_for_json)


def console() -> Console:
    """Where tables go: as wide as the terminal, or as they need where there is none."""
    from rich.console import Console  # noqa: PLC0415 - JSON does without

    shown = Console(highlight=False, markup=False)
    return (
        shown
        if shown.is_terminal
        else Console(width=_NOT_A_TERMINAL, highlight=False, markup=False)
    )


def table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], title: str | None = None
) -> Table:
    """Rows as a table; what is not known is empty."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    drawn = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        drawn.add_column(column.head, justify="right" if column.is_number else "left")
    for row in rows:
        drawn.add_row(*(_cell(row[column.field], column) for column in columns))
    return drawn


def _cell(value: Any, column: Column) -> str:
    if value is None:
        return ""
    return utc(value.ms, seconds=True) if isinstance(value, Time) else column.write(value)


def _for_json(value: Any) -> str:
    if isinstance(value, Time):
        return iso(value.ms)
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"expected what JSON has, a time or a decimal, found {value!r}")
