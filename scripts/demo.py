"""The demo: practice exchange, backfiller and three traders as local processes, and a live table.

It runs on a database of its own, `data/demo/trading.db`, made anew at each start.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

import schema
from common.errors import ConfigurationError
from common.instance import Instance
from common.overview import strategies
from scripts.live_table import live_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.database import Database

FOLDER = Path("data/demo")
DATABASE = FOLDER / "trading.db"
TRADERS = (
    {"EXCHANGE": "binance", "SYMBOL": "BTC/USDT", "TIMEFRAME": "1h"},
    {"EXCHANGE": "binance", "SYMBOL": "ETH/USDT", "TIMEFRAME": "15m"},
    {"EXCHANGE": "coinbase", "SYMBOL": "BTC/USD", "TIMEFRAME": "1h"},
)
# Quicker than the defaults, so that there is something to see within a minute.
TRADER_SETTINGS = {"RSI_PERIOD": "7", "RSI_OVERSOLD": "35", "RSI_OVERBOUGHT": "65"}
_STOP_WITHIN_S = 5.0
_READY_WITHIN_S = 30.0
_REFRESH_S = 0.5


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process of the demo, with the file that its log goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class DaemonEnded(Exception):
    """A process of the demo ended by itself; the message has the end of its log."""


def main() -> int:
    """The program. Returns its exit status."""
    options = _options()
    console = Console()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with ExitStack() as stack:
            database = _new_database(stack)
            daemons = stack.enter_context(_daemons(options.speed, options.seed))
            _watch(console, database, daemons, options)
    except KeyboardInterrupt:
        pass
    except (ConfigurationError, DaemonEnded) as error:
        console.print(f"demo: {error}", style="red", markup=False, highlight=False)
        return 2 if isinstance(error, ConfigurationError) else 1
    console.print(
        f"Stopped. The books are in {DATABASE}, the logs in {FOLDER}. Look around:\n"
        f'  sqlite3 -readonly {DATABASE} "SELECT * FROM profit_per_strategy"',
        highlight=False,
    )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo.sh", description=__doc__)
    parser.add_argument(
        "--speed", type=float, default=1800.0, help="market time per real time (default 1800)"
    )
    parser.add_argument(
        "--seed", type=int, default=7, help="which made-up market to trade (default 7)"
    )
    parser.add_argument("--seconds", type=float, help="stop by itself after so many seconds")
    parser.add_argument(
        "--until-trades", action="store_true", help="stop as soon as all three have traded"
    )
    return parser.parse_args()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _new_database(stack: ExitStack) -> Database:
    """An empty database for this run; the folder of the run before is removed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    instance = Instance(FOLDER.parent, "demo", key="demo")
    stack.callback(instance.release)
    shutil.rmtree(FOLDER)
    url = f"sqlite:///{DATABASE}"
    schema.upgrade(url)
    database = schema.open_database(url)
    stack.callback(database.close)
    return database


@contextmanager
def _daemons(speed: float, seed: int) -> Iterator[list[Daemon]]:
    """Starts all processes in their order; at the end stops them in the opposite one."""
    port = _free_port()
    exchange = f"http://127.0.0.1:{port}"
    shared = {
        "DATABASE_URL": f"sqlite:///{DATABASE}",
        "BINANCE_API_URL": f"{exchange}/binance",
        "COINBASE_API_URL": f"{exchange}/coinbase",
        "CLOCK_SPEED": str(speed),
        "TICKER_INTERVAL_S": "1",
        "LOG_FORMAT": "text",
    }
    started: list[Daemon] = []
    try:
        practice = ("practice", "--port", str(port), "--speed", str(speed), "--seed", str(seed))
        started.append(_start("practice", practice, {}))
        _wait_for(f"{exchange}/practice/health", started[0])
        started.append(_start("backfiller", ("backfiller",), shared))
        for market in TRADERS:
            name = f"trader-{market['SYMBOL'].partition('/')[0].lower()}-{market['EXCHANGE']}-{market['TIMEFRAME']}"
            started.append(_start(name, ("trader",), shared | TRADER_SETTINGS | market))
        yield started
    finally:
        _stop(started)


def _start(name: str, module: tuple[str, ...], settings: dict[str, str]) -> Daemon:
    log = FOLDER / f"{name}.log"
    process = subprocess.Popen(  # noqa: S603 - our own modules, our own interpreter
        [sys.executable, "-m", *module],
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for the demo, which stops them in order
    )
    return Daemon(name, process, log)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, daemon: Daemon) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        _require_running([daemon])
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own process
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise DaemonEnded(
        f"the practice exchange did not answer within {_READY_WITHIN_S:.0f} s, see {daemon.log}"
    )


def _require_running(daemons: list[Daemon]) -> None:
    for daemon in daemons:
        if daemon.process.poll() is not None:
            end = "\n".join(
                daemon.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
            )
            raise DaemonEnded(
                f"{daemon.name} ended with status {daemon.process.returncode}:\n{end}"
            )


def _watch(
    console: Console, database: Database, daemons: list[Daemon], options: argparse.Namespace
) -> None:
    """Shows the table until Ctrl-C, or what the options say."""
    started = time.monotonic()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            _require_running(daemons)
            running_s = time.monotonic() - started
            live.update(live_table(database, running_s, options.speed), refresh=console.is_terminal)
            if options.seconds is not None and running_s > options.seconds:
                break
            if options.until_trades and _all_have_traded(database):
                break
            time.sleep(_REFRESH_S)
        live.refresh()


def _all_have_traded(database: Database) -> bool:
    traded = [strategy for strategy in strategies(database) if strategy.trades > 0]
    return len(traded) == len(TRADERS)


def _stop(daemons: list[Daemon]) -> None:
    for daemon in reversed(daemons):
        daemon.process.terminate()
    for daemon in reversed(daemons):
        try:
            daemon.process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            daemon.process.kill()
            daemon.process.wait()


if __name__ == "__main__":
    sys.exit(main())
