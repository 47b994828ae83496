"""A backup of a large database while everybody writes: how long it takes, and how long the longest writer waits.

    python -m benchmarks.backup [--megabytes 500] [--traders 5] [--pause 0.1]

Fills a database with candles of 30 partitions up to that size. Then so many traders, each a process, write round trips of
four transactions (synchronous=FULL), one after the other or with that pause between, in seconds; and a backfiller commits
1,000 candles up to twenty times a second, as in benchmarks.ledger. First for a while without a backup, for comparison; then while a backup is made, and while it is tried. A
writer's wait is the time from its call to the end of its commit. At the end all of them stop, and the backup is restored.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schema
from benchmarks.ledger import BALANCE, BATCH, BATCH_EVERY_S, MINUTE, PARTITION, START, Told, _Trader
from candlewell.backup import packing, snapshot
from candlewell.backup.catalogue import backups_in
from candlewell.backup.making import DEADLINE_S
from candlewell.backup.restoring import restore
from common.candle import Candle
from common.database import Durability
from common.market_data import MarketData
from common.registry import Registration, Registry
from trader.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FILL = """
INSERT INTO ohlcv_data WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT ?, ?, '1m', i * 60000, p, p + 1.5, p - 1.5, p + 0.25, i * 104729 % 1000003 / 1000.0
FROM (SELECT i, 100 + i * 7919 % 100003 / 100.0 AS p FROM n)
"""
_BYTES_A_ROW = 87
_EXCHANGES = ("binance", "coinbase", "kraken")
_SYMBOLS = 10
_WITHOUT_S = 15.0
_ROUNDS = 3
_STOP_WITHIN_S = 120.0

Commit = tuple[float, float]  # when it began, and how long it took, in seconds


class Timed(Told):
    """Remembers when each commit was."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[Commit] = []

    def commit(self, write: Callable[[], object]) -> None:
        """See `Told`."""
        began = time.perf_counter()
        super().commit(write)
        self.commits.append((began, time.perf_counter() - began))


@dataclass(frozen=True, slots=True)
class Load:
    """What the processes that write have in common."""

    url: str
    pause_s: float  # of a trader, between its round trips
    together: Any  # a barrier: all have started
    stop: Any
    answers: Any


@dataclass(slots=True)
class Writers:
    """The processes that write, until they are stopped; then what they measured."""

    commits: list[Commit] = field(default_factory=list)
    errors: int = 0

    def worst(self, since: float, until: float) -> str:
        """Of the commits that were under way in that time, in short."""
        took = sorted(
            took for began, took in self.commits if began < until and began + took > since
        )
        rate = len(took) / (until - since)
        p99 = took[int(0.99 * (len(took) - 1))]
        return f"{rate:,.0f} commits/s, p99 {p99 * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--traders", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--folder", type=Path, help="where; default: the temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        data = Path(folder) / "data"
        database = data / "trading.db"
        url = f"sqlite:///{database}"
        schema.upgrade(url)
        _fill(url, options.megabytes)
        print(f"database: {database.stat().st_size / 1e6:.0f} MB")
        _packing(database, Path(folder))
        backups = Path(folder) / "data-backups"
        _under_load(url, database, options.traders, options.pause)
        _restoring(database, backups)


def _fill(url: str, megabytes: int) -> None:
    database = schema.open_database(url, durability=Durability.PROCESS_CRASH)
    count = megabytes * 1_000_000 // _BYTES_A_ROW // (len(_EXCHANGES) * _SYMBOLS)
    for exchange in _EXCHANGES:
        for number in range(_SYMBOLS):
            with database.write() as connection:
                connection.exec_driver_sql(_FILL, (count, exchange, f"C{number}/USDT"))
    database.close()


def _packing(database: Path, folder: Path) -> None:
    """The steps alone, with nobody writing."""
    copy, packed, again = (folder / name for name in ("copy.db", "copy.db.gz", "again.db"))
    copied_s = _timed(lambda: snapshot.take(database, copy, deadline_s=DEADLINE_S))
    packed_s = _timed(lambda: packing.pack(copy, packed))
    unpacked_s = _timed(lambda: packing.unpack(packed, again))
    share = packed.stat().st_size / copy.stat().st_size
    print(
        f"alone: copied, counted and checked in {copied_s:.1f} s; packed in {packed_s:.1f} s to {share:.0%}; "
        f"unpacked in {unpacked_s:.1f} s"
    )
    for path in (copy, packed, again):
        path.unlink()


def _under_load(url: str, database: Path, traders: int, pause_s: float) -> None:
    spans = []
    with _writing(url, traders, pause_s) as writers:
        began = time.perf_counter()
        time.sleep(_WITHOUT_S)
        spans.append(("without a backup", began, time.perf_counter()))
        for number in range(1, _ROUNDS + 1):
            since, until = _spanned(lambda: _command("backup", url))
            spans.append((f"backup {number}, {until - since:.1f} s", since, until))
        since, until = _spanned(lambda: _command("drill", url))
        spans.append((f"drill, {until - since:.1f} s", since, until))
        wal_mb = database.with_name("trading.db-wal").stat().st_size / 1e6
    for name, since, until in spans:
        print(f"{name}: {writers.worst(since, until)}")
    print(f"errors that reached a writer: {writers.errors}; the WAL at the end: {wal_mb:.0f} MB")


def _restoring(database: Path, backups: Path) -> None:
    newest = backups_in(backups)[-1]
    beside_s = _timed(lambda: restore(newest, database))
    shutil.rmtree(database.parent)
    anew_s = _timed(lambda: restore(newest, database))
    print(f"restored in {beside_s:.1f} s, with no data folder in {anew_s:.1f} s")


def _command(name: str, url: str) -> None:
    """As a user's cron does it, in a process of its own; says what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "candlewell", name],
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    print(f"  {done.stdout.strip().partition('; rows')[0]}")


def _spanned(act: Callable[[], object]) -> tuple[float, float]:
    since = time.perf_counter()
    act()
    return since, time.perf_counter()


def _timed(act: Callable[[], object]) -> float:
    since, until = _spanned(act)
    return until - since


# --- the processes -----------------------------------------------------------------------------------------


@contextmanager
def _writing(url: str, traders: int, pause_s: float) -> Iterator[Writers]:
    """So many traders and a backfiller, which write until the block has ended."""
    context = multiprocessing.get_context("spawn")
    together, stop = context.Barrier(traders + 2), context.Event()
    answers: Any = context.Queue()
    load = Load(url, pause_s, together, stop, answers)
    work = [context.Process(target=_trade, args=(f"bench-{n}", load)) for n in range(traders)]
    work.append(context.Process(target=_backfill, args=(load,)))
    for process in work:
        process.start()
    together.wait(_STOP_WITHIN_S)
    writers = Writers()
    try:
        yield writers
    finally:
        stop.set()
        for _ in work:
            commits, errors = answers.get(timeout=_STOP_WITHIN_S)
            writers.commits += commits
            writers.errors += errors
        for process in work:
            process.join()


def _trade(strategy_id: str, load: Load) -> None:
    database = schema.open_database(load.url)
    Registry(database).register(
        Registration(strategy_id, PARTITION, "rsi", None, "paper", {}, 281, BALANCE)
    )
    trader = _Trader(Ledger(database, strategy_id, BALANCE), strategy_id)
    trader.round_trip()
    timed = Timed()
    trader.told = timed
    load.together.wait(_STOP_WITHIN_S)
    while not load.stop.wait(load.pause_s):
        trader.round_trip()
    database.close()
    load.answers.put((timed.commits, timed.errors.total()))


def _backfill(load: Load) -> None:
    database = schema.open_database(
        load.url, durability=Durability.PROCESS_CRASH, checkpoint_pages=1000
    )
    data, timed = MarketData(database), Timed()
    load.together.wait(_STOP_WITHIN_S)
    number = 0
    while not load.stop.wait(BATCH_EVERY_S):
        first = START + number * BATCH * MINUTE
        candles = [
            Candle(first + at * MINUTE, 100.0, 110.0, 90.0, 101.5, 12.25) for at in range(BATCH)
        ]
        timed.commit(partial(data.store_candles, PARTITION, candles))
        number += 1
    database.close()
    load.answers.put((timed.commits, timed.errors.total()))


if __name__ == "__main__":
    main()
