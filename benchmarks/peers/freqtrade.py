"""freqtrade: its own command on its own feather file.

It does not start without an exchange to ask for the markets, whatever it is to do. The practice exchange answers it.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from benchmarks.made_up import BTC_5M
from benchmarks.peers.task import FEE_RATE, STAKE, STARTING_BALANCE, STOP_LOSS, Outcome, Run, Trip

if TYPE_CHECKING:
    from benchmarks.made_up import Columns
    from benchmarks.peers.environment import Environment
    from benchmarks.peers.task import Task

_STRATEGY = "RsiCrossing"
_STRATEGIES = Path(__file__).parent / "theirs"


def prepare(environment: Environment, task: Task) -> Run:
    """Writes its configuration and its candles."""
    results = task.folder / "results"
    results.mkdir()
    _write(task.candles, task.folder / "BTC_USDT-5m.feather")
    return Run(
        command=(
            environment.program("freqtrade"),
            "backtesting",
            *configured(task.folder, task.exchange_url),
            *("--datadir", str(task.folder), "--fee", str(FEE_RATE)),
            *("--cache", "none", "--export", "none"),
        ),
        telling=("--export", "trades", "--backtest-directory", str(results)),
        outcome=lambda _: _outcome(results),
    )


def configured(folder: Path, exchange_url: str) -> tuple[str, ...]:
    """Writes a configuration into that folder; the options that name it, for any of its commands."""
    user = folder / "user_data"
    user.mkdir()
    file = folder / "config.json"
    file.write_text(json.dumps(_configuration(exchange_url)), encoding="utf-8")
    return (
        *("--config", str(file), "--userdir", str(user)),
        *("--strategy", _STRATEGY, "--strategy-path", str(_STRATEGIES)),
    )


def _configuration(exchange_url: str) -> dict[str, Any]:
    api = f"{exchange_url}/binance/api/v3"
    pricing = {"price_side": "other", "use_order_book": False}
    return {
        "dry_run": True,
        "initial_state": "running",
        "timeframe": BTC_5M.timeframe.value,
        "stake_currency": "USDT",
        "stake_amount": STAKE,
        "dry_run_wallet": STARTING_BALANCE,
        "tradable_balance_ratio": 1.0,
        "max_open_trades": 1,
        "stoploss": -STOP_LOSS,
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": {
            "name": BTC_5M.exchange,
            "pair_whitelist": [BTC_5M.symbol],
            "enable_ws": False,
            "ccxt_config": {
                "urls": {"api": {"public": api, "private": api}},
                "options": {"fetchMarkets": {"types": ["spot"]}},
            },
        },
    }


def _write(candles: Columns, path: Path) -> None:
    names = ("date", "open", "high", "low", "close", "volume")
    frame = pl.DataFrame(dict(zip(names, candles, strict=True)))
    date = pl.from_epoch("date", time_unit="ms").dt.cast_time_unit("ms")
    frame = frame.with_columns(date.dt.replace_time_zone("UTC"))
    frame.write_ipc(path, compression="lz4", compat_level=pl.CompatLevel.oldest())


def _outcome(results: Path) -> Outcome:
    """Its newest result: a zip with a JSON file of the same name, beside others."""
    archive = max(results.glob("*.zip"))
    with zipfile.ZipFile(archive) as packed:
        told = json.loads(packed.read(archive.with_suffix(".json").name))["strategy"][_STRATEGY]
    # What is open at the end it sells at the last price there is; elsewhere it stays open.
    trips = (
        Trip(
            trade["open_timestamp"],
            None if trade["exit_reason"] == "force_exit" else trade["close_timestamp"],
        )
        for trade in told["trades"]
    )
    return Outcome(told["profit_total_abs"], tuple(trips))
