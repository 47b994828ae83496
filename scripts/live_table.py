"""The live table of the demo: partitions, and what each trader last said, holds and has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from common.overview import exchanges, partitions, strategies

if TYPE_CHECKING:
    from common.database import Database
    from common.overview import StrategyOverview

_SIGNAL_STYLES = {"buy": "bold green", "sell": "bold red", "hold": "dim"}


def live_table(database: Database, running_s: float, speed: float) -> Group:
    """Everything on one screen."""
    title = Text(
        f"Candlewell demo: {running_s:.0f} s, a market {speed:g} times as fast as the clock; ",
        style="bold",
    )
    title.append("Ctrl-C ends it", style="dim")
    return Group(
        title,
        _partition_table(database),
        *_troubles(database),
        Text(),
        _strategy_table(database),
        Text(),
    )


def _partition_table(database: Database) -> Table:
    table = _table("Candles in the well")
    table.add_column("partition", no_wrap=True)
    for name in ("candles", "missing", "explained", "gaps"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("first, UTC", "last, UTC"):
        table.add_column(name, no_wrap=True)
    for row in partitions(database):
        counts = f"{row.candles:,}", f"{row.missing:,}", f"{row.explained:,}", f"{row.open_gaps:,}"
        table.add_row(" ".join(row.key), *counts, row.first[5:16], row.last[5:16])
    return table


def _troubles(database: Database) -> list[Text]:
    """A line for each exchange that does not answer as it should."""
    return [
        Text(
            f"{row.exchange}: {row.state.replace('_', ' ')} until {row.until[11:]} UTC: {row.error}",
            style="yellow",
            no_wrap=True,
            overflow="ellipsis",
        )
        for row in exchanges(database)
        if row.state != "ok"
    ]


def _strategy_table(database: Database) -> Table:
    table = _table("Traders")
    for name in ("strategy_id", "candle"):
        table.add_column(name, no_wrap=True)
    table.add_column("RSI", justify="right", no_wrap=True)
    table.add_column("signal", no_wrap=True)
    for name in ("holds", "trades", "realised", "open"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in strategies(database):
        table.add_row(*_cells(row))
    return table


def _table(title: str) -> Table:
    """Narrow enough for a terminal of 80 columns."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def _cells(row: StrategyOverview) -> tuple[Text | str, ...]:
    if not row.candle:
        return (
            row.strategy_id,
            Text(row.state, style="dim"),
            "",
            "",
            Text(row.detail, style="dim"),
        )
    return (
        row.strategy_id,
        row.candle[8:16],
        "" if row.rsi is None else f"{row.rsi:.1f}",
        Text(row.signal, style=_SIGNAL_STYLES[row.signal]),
        f"{row.amount:.4f}" if row.amount else "-",
        str(row.trades),
        _profit(row.realised_profit),
        _profit(row.unrealised_profit),
    )


def _profit(amount: float) -> Text:
    return Text(f"{amount:+,.2f}", style="green" if amount > 0 else "red" if amount < 0 else "dim")
