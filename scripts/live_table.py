"""The live table of the demo: partitions, and what each trader last said, holds and has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from common.overview import partitions, strategies

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
    return Group(title, _partition_table(database), _strategy_table(database))


def _partition_table(database: Database) -> Table:
    table = Table(title="Candles in the well", title_justify="left")
    for name in ("exchange", "symbol", "timeframe"):
        table.add_column(name)
    for name in ("candles", "missing"):
        table.add_column(name, justify="right")
    for name in ("first (UTC)", "last (UTC)"):
        table.add_column(name)
    for row in partitions(database):
        counts = f"{row.candles:,}", f"{row.missing:,}"
        table.add_row(
            row.exchange, row.symbol, row.timeframe, *counts, row.first[:16], row.last[:16]
        )
    return table


def _strategy_table(database: Database) -> Table:
    table = Table(title="Traders", title_justify="left")
    for name in ("strategy_id", "candle (UTC)"):
        table.add_column(name, no_wrap=True)
    table.add_column("RSI", justify="right")
    table.add_column("signal")
    table.add_column("position", justify="right")
    for name in ("trades", "realised", "unrealised"):
        table.add_column(name, justify="right")
    for row in strategies(database):
        table.add_row(*_cells(row))
    return table


def _cells(row: StrategyOverview) -> tuple[Text | str, ...]:
    if not row.candle:
        return (row.strategy_id, Text(f"{row.state} {row.detail}", style="dim"))
    position = f"{row.amount:.6g} at {row.average_entry:,.2f}" if row.average_entry else "none"
    return (
        row.strategy_id,
        row.candle[:16],
        "" if row.rsi is None else f"{row.rsi:.1f}",
        Text(row.signal, style=_SIGNAL_STYLES[row.signal]),
        position,
        str(row.trades),
        _profit(row.realised_profit),
        _profit(row.unrealised_profit),
    )


def _profit(amount: float) -> Text:
    return Text(f"{amount:+,.2f}", style="green" if amount > 0 else "red" if amount < 0 else "dim")
