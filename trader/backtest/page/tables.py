"""The tables of a report: figures, settings, monthly returns."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trader.backtest.account import Terms
    from trader.backtest.result import Result
    from trader.backtest.setup import Setup

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STRONGEST = 0.2  # the monthly return that has the strongest colour


def pairs(caption: str, key: str, rows: Iterable[tuple[str, str]]) -> str:
    """A table of names and values."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>\n'
        for name, value in rows
    )
    return f'<table class="pairs" id="{key}"><caption>{escape(caption)}</caption>\n<tbody>\n{body}</tbody></table>'


def settings(setup: Setup, result: Result) -> list[tuple[str, str]]:
    """What it ran with."""
    rows: list[tuple[str, object]] = [
        ("strategy id", setup.strategy_id),
        ("strategy", setup.strategy_name),
        ("market", setup.partition),
        *setup.parameters.items(),
        ("warm-up in candles", setup.strategy.warmup),
        *_terms(result.terms),
    ]
    return [(name.replace("_", " "), _plainly(value)) for name, value in rows]


def _terms(terms: Terms) -> Iterator[tuple[str, object]]:
    """All that a backtest goes by, whatever rules there are."""
    for field in fields(terms):
        value = getattr(terms, field.name)
        if is_dataclass(value):
            before = "" if field.name == "rules" else f"{field.name} "
            yield from ((before + of.name, getattr(value, of.name)) for of in fields(value))
        elif field.name not in {"strategy_id", "symbol"}:
            yield field.name, value


def _plainly(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def monthly(returns: Mapping[str, float]) -> str:
    """A row for each year, a column for each month, and what the months of a year come to."""
    years: dict[str, dict[int, float]] = {}
    for month, ratio in returns.items():
        year, _, number = month.partition("-")
        years.setdefault(year, {})[int(number)] = ratio
    head = "".join(f'<th scope="col">{name}</th>' for name in (*_MONTHS, "Year"))
    rows = "".join(
        f'<tr><th scope="row">{year}</th>{_year(months)}</tr>\n' for year, months in years.items()
    )
    table = (
        f'<table id="monthly"><caption>Monthly returns in percent</caption>\n<thead><tr><th scope="col">'
        f"UTC</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table>"
    )
    return scrolling("Monthly returns", table)


def _year(months: Mapping[int, float]) -> str:
    whole = math.prod(1 + ratio for ratio in months.values()) - 1
    cells = [_cell(months.get(number)) for number in range(1, 13)]
    return "".join([*cells, _cell(whole)])


def _cell(ratio: float | None) -> str:
    if ratio is None:
        return "<td></td>"
    told = signed(100 * ratio)
    way = {"+": "up", "-": "down"}.get(told[0], "still")
    strength = min(1.0, abs(ratio) / _STRONGEST)
    return f'<td class="{way}" style="--strength:{100 * strength:.0f}%">{told}</td>'


def signed(value: float | Decimal, decimals: int = 2) -> str:
    """With its sign, since colour alone does not tell; what rounds to nothing has none."""
    told = f"{value:+,.{decimals}f}"
    return told if told.strip("+-0.,") else told[1:]


def scrolling(label: str, table: str) -> str:
    """A wide table that scrolls by itself on a narrow screen, by keyboard too."""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{table}</div>'
    )


def columns(caption: str, key: str, heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table with a head; its cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in rows)
    return (
        f'<table id="{key}"><caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        f"{body}</tbody></table>"
    )
