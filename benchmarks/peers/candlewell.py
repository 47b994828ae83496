"""This suite: `python -m trader backtest`, from its database."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from benchmarks.made_up import BTC_5M, store
from benchmarks.peers.task import (
    FEE_RATE,
    STAKE_WITH_FEE,
    STARTING_BALANCE,
    STOP_LOSS_WITH_FEE,
    Outcome,
    Run,
    Trip,
)

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.peers.environment import Environment
    from benchmarks.peers.task import Task

SETTINGS = {
    "EXCHANGE": BTC_5M.exchange,
    "SYMBOL": BTC_5M.symbol,
    "TIMEFRAME": BTC_5M.timeframe.value,
    "RSI_TRIGGER": "crossing",
    "STOP_LOSS": str(STOP_LOSS_WITH_FEE),
    "STAKE_AMOUNT": str(STAKE_WITH_FEE),
    "STARTING_BALANCE": str(STARTING_BALANCE),
    "FEE_RATE": str(FEE_RATE),
}


def prepare(environment: Environment, task: Task) -> Run:
    """Stores the candles."""
    url = f"sqlite:///{task.folder / 'trading.db'}"
    store(url, task.candles)
    trades = task.folder / "trades.csv"
    return Run(
        command=(environment.python, "-m", "trader", "backtest"),
        telling=("--json", "--trades", str(trades)),
        outcome=lambda printed: Outcome(float(json.loads(printed)["net_profit"]), _trips(trades)),
        settings={**SETTINGS, "DATABASE_URL": url},
    )


def _trips(trades: Path) -> tuple[Trip, ...]:
    """An entry is one trade, and so is an exit."""
    with trades.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    candles = [BTC_5M.timeframe.floor(int(row["timestamp"])) for row in rows]
    assert [row["side"] for row in rows] == (["buy", "sell"] * len(rows))[: len(rows)]
    exits: list[int | None] = [*candles[1::2]]
    if len(candles) % 2:
        exits.append(None)
    return tuple(map(Trip, candles[::2], exits))
