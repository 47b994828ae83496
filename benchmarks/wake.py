"""From candle commit to signal row, with real trader processes.

    python -m benchmarks.wake [--traders 3 50] [--candles 40]

Plays the backfiller: it commits a closed candle of a partition that all traders read, and watches the database until
every trader's signal row of that candle is committed. Measured at the watcher, from the moment the candle's commit
returned; the watcher looks every millisecond, and its looking takes part of a core, so the figures are upper bounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

import schema
from common.candle import Candle
from common.clock import MarketClock, wall_now
from common.database import Database, Durability
from common.exchange_status import Exchanges, Market
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe
from common.watch import Watch
from scripts.local_suite import LocalSuite

PARTITION = Partition("binance", "BTC/USDT", Timeframe.M1)
HISTORY = 400
_DEADLINE_S = 60.0


def main() -> None:
    """Prints median, p99 and the worst for each number of traders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--traders", type=int, nargs="+", default=[3, 50])
    parser.add_argument("--candles", type=int, default=40)
    options = parser.parse_args()
    for traders in options.traders:
        delays = sorted(_measure(traders, options.candles))
        p99 = delays[min(len(delays) - 1, round(0.99 * len(delays)))]
        print(
            f"{traders:3} traders, {len(delays)} signals: median {statistics.median(delays) * 1000:.0f} ms, "
            f"p99 {p99 * 1000:.0f} ms, worst {delays[-1] * 1000:.0f} ms",
            flush=True,
        )


def _measure(traders: int, candles: int) -> list[float]:
    market = {
        "EXCHANGE": PARTITION.exchange,
        "SYMBOL": PARTITION.symbol,
        "TIMEFRAME": PARTITION.timeframe.value,
    }
    with tempfile.TemporaryDirectory() as folder, LocalSuite(Path(folder)) as suite:
        database = schema.open_database(
            suite.database_url, durability=Durability.PROCESS_CRASH, checkpoint_pages=1000
        )
        _make_history(database)
        for number in range(traders):
            suite.start_trader(f"bench-{number}", LOG_LEVEL="error", **market)
        delays = []
        newest = MarketData(database).newest_candle(PARTITION)
        assert newest is not None
        _wait_for_signals(database, newest, traders)
        for _ in range(candles):
            newest += PARTITION.timeframe.milliseconds
            delays += _one_candle(database, newest, traders)
        database.close()
        return delays


def _make_history(database: Database) -> None:
    """A market that is known, with enough closed candles, on a clock far enough ahead for those to come."""
    end = PARTITION.timeframe.newest_closed(wall_now())
    exchanges = Exchanges(database)
    exchanges.record_markets("binance", [PARTITION.timeframe.value], [Market(PARTITION.symbol)])
    exchanges.record_clock("binance", MarketClock(wall_now(), wall_now()))
    start = end - (HISTORY - 1) * PARTITION.timeframe.milliseconds
    times = range(start, end + 1, PARTITION.timeframe.milliseconds)
    MarketData(database).store_candles(PARTITION, [_candle(time_) for time_ in times])


def _candle(timestamp: int) -> Candle:
    close = 100.0 + (timestamp // PARTITION.timeframe.milliseconds * 37 % 101) / 10
    return Candle(timestamp, close, close + 1, close - 1, close, 1.0)


def _one_candle(database: Database, timestamp: int, traders: int) -> list[float]:
    """The delay of each trader's signal after the commit of this candle, in seconds."""
    MarketData(database).store_candles(PARTITION, [_candle(timestamp)])
    began = time.perf_counter()
    delays: list[float] = []
    deadline = began + _DEADLINE_S
    seen = None
    with closing(Watch(database)) as watch:
        while len(delays) < traders:
            if time.perf_counter() > deadline:
                raise SystemExit(
                    f"only {len(delays)} of {traders} traders wrote a signal within {_DEADLINE_S:.0f} s"
                )
            if (commits := watch.commits()) != seen:
                seen = commits
                count = _signals(database, timestamp)
                delays += [time.perf_counter() - began] * (count - len(delays))
            time.sleep(0.001)
    return delays


def _wait_for_signals(database: Database, timestamp: int, traders: int) -> None:
    deadline = time.perf_counter() + _DEADLINE_S + 3.0 * traders
    while _signals(database, timestamp) < traders:
        if time.perf_counter() > deadline:
            raise SystemExit(f"the {traders} traders did not start")
        time.sleep(0.2)


def _signals(database: Database, timestamp: int) -> int:
    query = sa.select(sa.func.count()).where(schema.signals.c.timestamp == timestamp)
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


if __name__ == "__main__":
    main()
