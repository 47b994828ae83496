"""The state of the fleet on one screen of 80 columns: `candlewell status`, and the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from common.heartbeat import STOPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from candlewell.status import Status
    from common.heartbeat import Beat
    from common.overview import PartitionOverview, StrategyOverview

_SIGNAL_STYLES = {"buy": "bold green", "sell": "bold red", "hold": "dim"}


def screen(title: Text, status: Status, *, daemons: bool = True) -> Group:
    """Everything, with what wants a person first."""
    parts: list[RenderableType] = [title, *_attention(status)]
    if daemons:
        parts += [Text(), _daemon_table(status.daemons, status.now)]
    parts += [
        Text(),
        _partition_table(status.partitions),
        Text(),
        _strategy_table(status.strategies),
    ]
    return Group(*parts, Text())


def _attention(status: Status) -> list[Text]:
    return [
        Text(line, style="yellow", no_wrap=True, overflow="ellipsis") for line in status.attention
    ]


def _daemon_table(daemons: Sequence[Beat], now: int) -> Table:
    table = _table("Daemons")
    table.add_column("daemon", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("heard", justify="right", no_wrap=True)
    table.add_column("detail", no_wrap=True, overflow="ellipsis")
    for beat in daemons:
        style = "dim" if beat.state == STOPPED else ""
        heard = _ago(beat.age_s(now))
        table.add_row(beat.daemon, beat.state.replace("_", " "), heard, beat.detail, style=style)
    return table


def _partition_table(partitions: Sequence[PartitionOverview]) -> Table:
    table = _table("Candles in the well")
    table.add_column("partition", no_wrap=True)
    for name in ("candles", "missing", "explained", "gaps"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("first, UTC", "last, UTC"):
        table.add_column(name, no_wrap=True)
    for row in partitions:
        counts = f"{row.candles:,}", f"{row.missing:,}", f"{row.explained:,}", f"{row.open_gaps:,}"
        table.add_row(" ".join(row.key), *counts, row.first[5:16], row.last[5:16])
    return table


def _strategy_table(strategies: Sequence[StrategyOverview]) -> Table:
    table = _table("Traders")
    for name in ("strategy_id", "candle"):
        table.add_column(name, no_wrap=True)
    table.add_column("RSI", justify="right", no_wrap=True)
    table.add_column("signal", no_wrap=True)
    for name in ("holds", "trades", "realised", "open"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in strategies:
        table.add_row(*_cells(row))
    return table


def _table(title: str) -> Table:
    """Narrow enough for a terminal of 80 columns."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
    )


def _cells(row: StrategyOverview) -> tuple[Text | str, ...]:
    if not row.candle:
        waiting = Text(row.state, style="dim"), "", "", Text(row.detail, style="dim")
        return (row.strategy_id, *waiting)
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


def _ago(age_s: float) -> str:
    """How long ago, in the two largest units that say something."""
    seconds = round(age_s)
    for length, unit, smaller_length, smaller in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= length:
            return f"{seconds // length} {unit} {seconds % length // smaller_length} {smaller}"
    return f"{seconds} s"
