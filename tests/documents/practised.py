"""A folder like a reader's checkout, whose database was filled by a short run of the suite on the practice exchange."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from scripts.demo import TRADER_SETTINGS, TRADERS
from scripts.local_suite import LocalSuite
from tests.backfiller_files.samples import candles, write_binance, write_csv, write_kraken
from tests.documents.blocks import ROOT
from tests.trader.running import environment

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_S = 240.0
# Kraken gives nothing that is older than a month, Coinbase no 4h: rows of `gaps` and `partitions` come of that.
_MORE_PARTITIONS = """
  - {exchange: kraken, symbol: BTC/USD, timeframe: 1h}
  - {exchange: coinbase, symbol: ETH/USD, timeframe: 4h, history: 30d}
"""
# Buys soon and never sells, so that there is an open position at the end.
_HOLDER = {"EXCHANGE": "binance", "SYMBOL": "SOL/USDT", "TIMEFRAME": "15m"}
_HOLDER |= {"RSI_PERIOD": "7", "RSI_OVERSOLD": "60", "RSI_OVERBOUGHT": "99.9", "STOP_LOSS": "none"}
_THERE = (
    "(SELECT count(DISTINCT strategy_id) = 4 FROM trades)",
    "EXISTS (SELECT 1 FROM positions WHERE status = 'closed')",
    "EXISTS (SELECT 1 FROM open_positions)",
    "EXISTS (SELECT 1 FROM revisions)",
    "EXISTS (SELECT 1 FROM partitions WHERE built_from IS NOT NULL)",
    "EXISTS (SELECT 1 FROM gaps WHERE state = 'out_of_reach')",
)


class Checkout:
    """The folder; a copy of it is for one document."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self._variables = variables

    @property
    def database(self) -> Path:
        return self.folder / "data/trading.db"

    def copy(self, folder: Path) -> Checkout:
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Checkout(folder, self._variables)

    def run(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What a shell makes of that command there, in the environment that `scripts/prepare.sh dev` sets up."""
        here = {
            "PATH": f"{self.folder / '.venv/bin'}:{environment('')['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        given = {**environment(""), **here, **self._variables, **variables}
        del given["DATABASE_URL"]  # the reader has the default
        return subprocess.run(
            ["bash", "-ec", command],
            cwd=self.folder,
            env=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def practise(folder: Path) -> Checkout:
    """Makes the folder and lets four traders trade in it, until the database has something of everything."""
    for name in ("config", "docs", "requirements", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "backups").mkdir()
    _write_files(folder)
    config = folder / "config/backfiller.yml"
    text = config.read_text(encoding="utf-8")
    last = "  - {exchange: coinbase, symbol: BTC/USD, timeframe: 1h}\n"
    assert last in text
    config.write_text(text.replace(last, last + _MORE_PARTITIONS.lstrip("\n")), encoding="utf-8")
    with LocalSuite(folder / "data", speed=1800.0, seed=7) as suite:
        suite.start_exchange()
        late = {"kind": "revision", "timeframe": "15m", "lasts_ms": 600_000, "count": None}
        suite.rehearsal("faults", method="POST", body=late)
        suite.start_backfiller(TICKER_INTERVAL_S="1", BACKFILLER_CONFIG=str(config))
        for strategy_id, market in TRADERS.items():
            suite.start_trader(strategy_id, **market, **TRADER_SETTINGS)
        suite.start_trader("holder", **_HOLDER)
        _wait(suite)
        for name in (*TRADERS, "holder", "backfiller"):
            assert suite.stop(name) == 0
        urls = suite.api_urls
    checkout = Checkout(folder, urls)
    # What people do leaves rows too: a switch, and candles of a file.
    for command in (
        "python -m trader control running --fleet --reason 'back'",
        "python -m backfiller import BTCUSDT-1h-2024-01.zip",
    ):
        done = checkout.run(command)
        assert done.returncode == 0, done.stderr
    return checkout


def _write_files(folder: Path) -> None:
    """The files that the documents bring in."""
    rows = candles(24 * 31)
    write_binance(folder / "BTCUSDT-1h-2024-01.zip", rows)
    for name in ("XBTUSD_60.csv", "ETHUSD_60.csv"):
        write_kraken(folder / name, rows)
    write_csv(folder / "candles.csv", rows)


def _wait(suite: LocalSuite) -> None:
    connection = sqlite3.connect(f"file:{suite.database_path}?mode=ro", uri=True)
    deadline = time.monotonic() + WITHIN_S
    try:
        while missing := [
            there for there in _THERE if connection.execute(f"SELECT {there}").fetchone() != (1,)
        ]:
            suite.require_running()
            assert time.monotonic() < deadline, f"waited {WITHIN_S:.0f} s for {missing}"
            time.sleep(0.2)
    finally:
        connection.close()
