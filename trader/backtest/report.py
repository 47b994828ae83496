"""How a backtest's result is told: a table for people, JSON for programs, its trades as CSV."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from common.errors import ConfigurationError
from common.times import utc

if TYPE_CHECKING:
    from pathlib import Path

    from trader.backtest.metrics import Metrics
    from trader.backtest.result import Result
    from trader.backtest.setup import Setup

_DASH = "-"
_TRADE_COLUMNS = (
    "time", "timestamp", "side", "amount", "price", "cost", "fee", "fee_currency", "realised_profit",
    "reason", "client_order_id",
)  # fmt: skip


def as_table(setup: Setup, result: Result, metrics: Metrics) -> str:
    """The result for people."""
    lines = [*_about(setup, result), *figures(setup, result, metrics)]
    width = max(len(name) for name, _ in lines)
    table = [f"{name:<{width}}  {value}" for name, value in lines]
    return "\n".join([*table, *notes(result)])


def as_json(setup: Setup, result: Result, metrics: Metrics) -> str:
    """The result for programs: money as text, exact; times in milliseconds UTC; ratios as numbers."""
    candles, terms = result.candles, result.terms
    told: dict[str, Any] = {
        "strategy_id": setup.strategy_id,
        "strategy": setup.strategy_name,
        "exchange": setup.partition.exchange,
        "symbol": setup.partition.symbol,
        "timeframe": setup.partition.timeframe.value,
        "since": int(candles.timestamp[candles.first]),
        "until": int(candles.timestamp[-1]),
        "candles": candles.decided,
        "missing_candles": candles.missing,
        "slippage": f"{terms.slippage:f}",
        "starting_balance": f"{terms.starting_balance:f}",
        "net_profit": f"{result.net_profit:f}",
        "realised_profit": f"{result.realised:f}",
        "unrealised_profit": f"{result.unrealised:f}",
        "fees": f"{result.fees:f}",
        "trades": len(result.fills),
        "round_trips": len(result.closed),
        **asdict(metrics),
        "open_position": _open_position(result),
        "unfilled_order": _unfilled(result),
        "refused_entries": len(result.refused),
    }
    return json.dumps(told, indent=2, allow_nan=False)


def write_trades(result: Result, file: Path) -> None:
    """Every trade as a row of a CSV file.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(_TRADE_COLUMNS)
            for fill in result.fills:
                trade = fill.trade
                money = (trade.amount, trade.price, trade.cost, trade.fee)
                writer.writerow(
                    (
                        utc(trade.timestamp),
                        trade.timestamp,
                        trade.side.value,
                        *(f"{value:f}" for value in money),
                        trade.fee_currency,
                        f"{fill.profit:f}",
                        fill.order.reason,
                        fill.order.client_order_id,
                    )
                )
    except OSError as error:
        raise ConfigurationError(
            f"--trades: expected a file that can be written, found {file}: {error.strerror}"
        ) from None


def _about(setup: Setup, result: Result) -> list[tuple[str, str]]:
    candles = result.candles
    span = f"{utc(int(candles.timestamp[candles.first]))} to {utc(int(candles.timestamp[-1]))} UTC"
    return [
        ("strategy", f"{setup.strategy_id} ({setup.strategy_name})"),
        ("market", str(setup.partition)),
        ("candles", f"{candles.decided:,} from {span}, {candles.missing:,} missing"),
    ]


def figures(setup: Setup, result: Result, metrics: Metrics) -> list[tuple[str, str]]:
    """The figures by their names, for people."""
    quote = setup.partition.symbol.partition("/")[2]
    return [
        ("starting balance", f"{result.terms.starting_balance:,.2f} {quote}"),
        ("net profit", f"{result.net_profit:,.2f} {quote}"),
        ("return", _percent(metrics.total_return)),
        ("CAGR", _percent(metrics.cagr)),
        ("max drawdown", _percent(metrics.max_drawdown)),
        ("Sharpe", _number(metrics.sharpe)),
        ("Sortino", _number(metrics.sortino)),
        ("profit factor", _number(metrics.profit_factor)),
        ("win rate", _percent(metrics.win_rate)),
        ("exposure", _percent(metrics.exposure)),
        ("average holding", duration(metrics.average_holding_s)),
        ("trades", f"{len(result.fills):,} in {len(result.closed):,} round trips"),
        ("fees", f"{result.fees:,.2f} {quote}"),
    ]


def notes(result: Result) -> list[str]:
    """What the figures alone would not tell."""
    notes = []
    if result.open is not None:
        notes.append(
            f"open position: {result.open.amount:f} since {utc(result.open.opened_at)} UTC, worth "
            f"{result.value:,.2f} at the last close, unrealised profit {result.unrealised:,.2f}"
        )
    if result.unfilled is not None:
        order = result.unfilled
        notes.append(
            f"not filled: {order.side.value} {order.amount:f}, decided at the last candle ({order.reason})"
        )
    if result.refused:
        notes.append(f"entries refused: {len(result.refused):,}, the last: {result.refused[-1][1]}")
    stake = result.terms.rules.stake_of(result.cash)
    if result.ended is not None:
        notes.append(f"entries ended: {result.ended}")
    elif result.open is None and result.cash < stake:
        notes.append(
            f"out of cash: stake {stake:f} is more than the cash {result.cash:,.2f}, so there "
            "is no further entry"
        )
    return notes


def _open_position(result: Result) -> dict[str, str | int] | None:
    position = result.open
    if position is None:
        return None
    return {
        "opened_at": position.opened_at,
        "amount": f"{position.amount:f}",
        "entry_cost": f"{position.entry_cost:f}",
        "value": f"{result.value:f}",
        "unrealised_profit": f"{result.unrealised:f}",
    }


def _unfilled(result: Result) -> dict[str, str | int] | None:
    order = result.unfilled
    if order is None:
        return None
    return {
        "side": order.side.value,
        "amount": f"{order.amount:f}",
        "decided_at": order.decided_at,
        "reason": order.reason,
    }


def _percent(ratio: float | None) -> str:
    return _DASH if ratio is None else f"{100 * ratio:,.2f} %"


def _number(value: float | None) -> str:
    return _DASH if value is None else f"{value:,.2f}"


def duration(seconds: float | None) -> str:
    """A time span for people."""
    if seconds is None:
        return _DASH
    minutes = round(seconds / 60)
    days, rest = divmod(minutes, 24 * 60)
    return f"{days} d {rest // 60} h {rest % 60} min" if days else f"{rest // 60} h {rest % 60} min"
