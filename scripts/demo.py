"""The demo: practice exchange, backfiller and three traders as local processes, and a live table.

It runs on a database of its own, `data/demo/trading.db`, made anew at each start.
"""

from __future__ import annotations

import argparse
import math
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

import schema
from candlewell.status import status_of
from candlewell.status_tables import screen
from common.errors import ConfigurationError
from common.instance import Instance
from scripts.local_suite import DaemonEnded, LocalSuite

TRADERS = {
    "trader-btc-binance-1h": {"EXCHANGE": "binance", "SYMBOL": "BTC/USDT", "TIMEFRAME": "1h"},
    "trader-eth-binance-15m": {"EXCHANGE": "binance", "SYMBOL": "ETH/USDT", "TIMEFRAME": "15m"},
    "trader-btc-coinbase-1h": {"EXCHANGE": "coinbase", "SYMBOL": "BTC/USD", "TIMEFRAME": "1h"},
}
# Quicker than the defaults, so that there is something to see within a minute.
TRADER_SETTINGS = {"RSI_PERIOD": "7", "RSI_OVERSOLD": "35", "RSI_OVERBOUGHT": "65"}
_REFRESH_S = 0.5


def main() -> int:
    """The program. Returns its exit status."""
    options = _options()
    console = Console()
    interrupt = Interrupt()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, interrupt)
    database = options.folder / "trading.db"
    try:
        with ExitStack() as stack:
            _claim_empty_folder(stack, options.folder)
            suite = stack.enter_context(
                LocalSuite(options.folder, speed=options.speed, seed=options.seed)
            )
            _start(suite)
            _watch(console, suite, options, interrupt)
    except KeyboardInterrupt:
        pass
    except (ConfigurationError, DaemonEnded) as error:
        console.print(f"demo: {error}", style="red", markup=False, highlight=False)
        return 2 if isinstance(error, ConfigurationError) else 1
    console.print(
        f"Stopped. The books are in {database}, the logs beside it. Look around:\n"
        f'  sqlite3 -readonly -box {database} "SELECT * FROM profit_per_strategy"',
        highlight=False,
        soft_wrap=True,
    )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo.sh", description=__doc__)
    parser.add_argument(
        "--speed", type=_above_zero, default=1800.0, help="market time per real time (default 1800)"
    )
    parser.add_argument(
        "--seed", type=int, default=7, help="which made-up market to trade (default 7)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("data/demo"),
        help="what it may remove and fill (default data/demo)",
    )
    parser.add_argument("--seconds", type=_above_zero, help="stop by itself after so many seconds")
    parser.add_argument(
        "--until-trades", action="store_true", help="stop as soon as all three have traded"
    )
    return parser.parse_args()


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return number


class Interrupt:
    """Ctrl-C, SIGTERM, or a closed terminal: raised where the demo is just then, and kept.

    What is raised in a destructor is dropped by Python, and a terminal is closed only once.
    """

    def __init__(self) -> None:
        self._came = False

    def __call__(self, _number: int, _frame: object) -> None:
        """The signal handler. Raises KeyboardInterrupt."""
        self._came = True
        raise KeyboardInterrupt

    def require_none(self) -> None:
        """Raises KeyboardInterrupt if there was one."""
        if self._came:
            raise KeyboardInterrupt


def _claim_empty_folder(stack: ExitStack, folder: Path) -> None:
    """Removes what the demo before left; refuses a folder that is not a demo's."""
    folder.mkdir(parents=True, exist_ok=True)
    instance = Instance(folder.parent, f"demo-{folder.name}", key="--folder")
    stack.callback(instance.release)
    marker = folder / "made-by-the-demo"
    if any(folder.iterdir()) and not marker.exists():
        raise ConfigurationError(
            f"--folder: expected an empty folder or one of an earlier demo, found {folder}"
        )
    shutil.rmtree(folder)
    folder.mkdir()
    marker.touch()


def _start(suite: LocalSuite) -> None:
    suite.start_exchange()
    suite.start_backfiller(TICKER_INTERVAL_S="1")
    for strategy_id, market in TRADERS.items():
        suite.start_trader(strategy_id, **market, **TRADER_SETTINGS)


def _watch(
    console: Console, suite: LocalSuite, options: argparse.Namespace, interrupt: Interrupt
) -> None:
    """Shows the table until Ctrl-C, or what the options say."""
    started = time.monotonic()
    database = schema.open_database(suite.database_url)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            interrupt.require_none()
            suite.require_running()
            running_s = time.monotonic() - started
            status = status_of(database)
            live.update(
                screen(_title(running_s, options.speed), status, daemons=False),
                refresh=console.is_terminal,
            )
            if options.seconds is not None and running_s > options.seconds:
                break
            traded = [strategy for strategy in status.strategies if strategy.trades > 0]
            if options.until_trades and len(traded) == len(TRADERS):
                break
            time.sleep(_REFRESH_S)
    database.close()


def _title(running_s: float, speed: float) -> Text:
    title = Text(
        f"Candlewell demo: {running_s:.0f} s, a market {speed:g} times as fast as the clock; ",
        style="bold",
    )
    return title.append("Ctrl-C ends it", style="dim")


if __name__ == "__main__":
    sys.exit(main())
