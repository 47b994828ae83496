"""A fleet for the faults: a practice exchange, the backfiller and one trader as real processes, and what they say."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schema
from common.engine import load_driver
from tests.e2e import books
from trader.audit.audit import audit
from trader.audit.report import as_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.local_suite import Daemon, LocalSuite

ROOT = Path(__file__).parents[2]
ID = "trader-btc-binance-15m"
BACKFILLER = "backfiller"
SPEED = 1800.0  # two candles of 15m in each second, an hour in two
DEADLINE_S = 90.0
MARKET = {"EXCHANGE": "binance", "SYMBOL": "BTC/USDT", "TIMEFRAME": "15m"}
# 41 candles to warm up, and levels that it crosses often: some trades in each minute of a test.
STRATEGY = {"RSI_PERIOD": "2", "RSI_OVERSOLD": "45", "RSI_OVERBOUGHT": "55"}
CONFIG = """
partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 15m, history: 2d}]
ticker_interval_s: 0.2
upkeep: {warn_free: 0MB, warn_free_percent: 0, stop_free: 0MB, watch_interval_s: 0.2}
"""


def until(condition: Callable[[], Any], what: str, within_s: float = DEADLINE_S) -> Any:
    """Waits for a condition, and returns what it found."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"within {within_s:.0f} s: expected {what}"
        time.sleep(0.05)
    return found


class Fleet:
    """The processes on one database. Every look at it is a connection of its own that cannot write."""

    def __init__(self, suite: LocalSuite) -> None:
        self.suite = suite
        self.path = suite.database_path
        self.url = suite.database_url
        self.preloaded: dict[str, str] = {}
        self._read_from: dict[str, int] = {}
        self.config = suite.folder / "backfiller.yml"
        self.trader_config = suite.folder / "trader.yml"
        self.config.write_text(CONFIG, encoding="utf-8")
        self.trader_config.write_bytes((ROOT / "config" / "trader.yml").read_bytes())

    def start_exchange(self) -> None:
        """Opens the practice exchange."""
        self.suite.start_exchange()

    def start_backfiller(self, **settings: str) -> Daemon:
        """Starts the backfiller, and does not wait."""
        given = {"BACKFILLER_CONFIG": str(self.config)} | self.preloaded | settings
        return self._noted(BACKFILLER, lambda: self.suite.start_backfiller(**given))

    def start_trader(self, **settings: str) -> Daemon:
        """Starts the trader, and does not wait."""
        given = {"CONFIG_FILE": str(self.trader_config)} | MARKET | STRATEGY
        given |= self.preloaded | settings
        return self._noted(ID, lambda: self.suite.start_trader(ID, **given))

    def start_both(self) -> None:
        """Starts both daemons, and does not wait."""
        self.start_backfiller()
        self.start_trader()

    def stop_both(self) -> None:
        """Stops both daemons as a person does."""
        for name in (ID, BACKFILLER):
            assert self.suite.stop(name) == 0, self.said(name)

    def refuses(self, status: int) -> dict[str, str]:
        """Starts both daemons, which end at once with that status; what each said, one line."""
        self.start_both()
        said = {}
        for name in (BACKFILLER, ID):
            assert self.status(name) == status, self.said(name)
            said[name] = self.said(name)
            assert len(said[name].splitlines()) == 1, said[name]
        return said

    def start(self) -> None:
        """Starts all, and waits until the trader has traded."""
        self.start_exchange()
        self.start_backfiller()
        self.start_trader()
        self.goes_on("trades")

    def _noted(self, name: str, start: Callable[[], Daemon]) -> Daemon:
        """Whatever its log had before belongs to an earlier life."""
        log = self.suite.folder / f"{name}.log"
        self._read_from[name] = log.stat().st_size if log.exists() else 0
        return start()

    def is_up(self, name: str) -> bool:
        """Whether that process runs."""
        return self.suite.daemons[name].process.poll() is None

    def status(self, name: str) -> int:
        """Waits for a process to end by itself; its exit status."""
        daemon = self.suite.daemons.pop(name)
        try:
            return daemon.process.wait(DEADLINE_S)
        finally:
            if daemon.process.poll() is None:
                daemon.process.kill()

    def said(self, name: str) -> str:
        """What that process has logged since it was started."""
        with (self.suite.folder / f"{name}.log").open("rb") as log:
            log.seek(self._read_from[name])
            return log.read().decode(errors="replace")

    def has_said(self, name: str, text: str) -> None:
        """Waits until a process that runs has logged that text."""

        def found() -> bool:
            self.suite.require_running()
            return text in self.said(name)

        until(found, f"{name} to say {text!r}")

    def last_line(self, name: str) -> str:
        """The last line that it said: what a person sees who asks why it ended."""
        return self.said(name).splitlines()[-1]

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a query answers now."""
        with closing(load_driver().connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return list(connection.execute(query, values).fetchall())

    def backup(self, to: Path) -> None:
        """A copy of the database of one moment."""
        driver = load_driver()
        with (
            closing(driver.connect(str(self.path))) as source,
            closing(driver.connect(str(to))) as copy,
        ):
            source.backup(copy)

    def restore(self, backup: Path) -> None:
        """Puts a copy in the place of the database, with nothing of the old one beside it."""
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.unlink()
        shutil.copy(backup, self.path)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def beat(self, name: str) -> str:
        """What a daemon's heartbeat says: its state, and the detail."""
        found = self.rows("SELECT state || ': ' || detail FROM heartbeats WHERE daemon = ?", name)
        return str(found[0][0]) if found else ""

    def events(self, kind: str) -> list[str]:
        """The messages of the events of that kind, oldest first."""
        query = "SELECT message FROM events WHERE kind = ? ORDER BY event_id"
        return [message for (message,) in self.rows(query, kind)]

    def goes_on(self, *tables: str, by: int = 1) -> None:
        """Waits until each of these tables has so many rows more than now: candles and signals unless told."""
        due = {table: self.count(table) + by for table in tables or ("ohlcv_data", "signals")}

        def all_have() -> bool:
            self.suite.require_running()
            return all(self.count(table) >= least for table, least in due.items())

        until(all_have, f"{by} more rows in {', '.join(due)}")

    def assert_nothing_is_wrong(self) -> None:
        """Stops what runs, and looks at every row: none is wrong, lost or doubled."""
        for name in (ID, BACKFILLER):
            if name in self.suite.daemons:
                assert self.suite.stop(name) == 0, self.said(name)
        with closing(schema.open_database(self.url)) as database:
            books.assert_file_is_sound(database)
            books.assert_candles_are_the_exchanges(database, self.suite.exchange_url)
            books.assert_every_candle_has_its_signal(database)
            books.assert_rsi_is_that_of_the_whole_history(database)
            books.assert_books_add_up(database)
            found = audit(database, ID, None, None)
            assert not found.unexplained, as_table(found)
