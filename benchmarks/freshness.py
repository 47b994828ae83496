"""From a candle's close at the exchange to its row in the database, and the calls that it takes.

    python -m benchmarks.freshness [--traders 0 10] [--closes 4]

Starts a practice exchange at the market's own speed and the backfiller with 30 partitions of 1m, of three
exchanges, and that many trader processes on them. The practice exchange publishes a candle at the moment of its
close, so the whole delay is the suite's. A watcher looks at the database each five milliseconds
(PRAGMA data_version) and reads which candles are there when it has moved. The calls are the exchange's own count
from one close to the last one, of candles only.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

import schema
from common.clock import MarketClock, wall_now
from common.partition import Partition
from common.timeframe import Timeframe
from common.watch import Watch
from scripts.local_suite import LocalSuite

if TYPE_CHECKING:
    from common.database import Database

SYMBOLS = {
    "binance": (
        "BTC/USDT ETH/USDT SOL/USDT BNB/USDT XRP/USDT ADA/USDT DOGE/USDT LTC/USDT "
        "BTC/USDC ETH/USDC SOL/USDC"
    ),
    # Not AMP/USD: most of its minutes pass without a trade, and so without a candle.
    "coinbase": "BTC/USD ETH/USD SOL/USD XRP/USD LTC/USD BTC/USDT ETH/USDT BTC/USDC ETH/USDC",
    "kraken": (
        "BTC/USD ETH/USD SOL/USD XRP/USD LTC/USD ADA/USD DOGE/USD BTC/USDT ETH/USDT BTC/USDC"
    ),
}
PARTITIONS = [
    Partition(exchange, symbol, Timeframe.M1)
    for exchange, symbols in SYMBOLS.items()
    for symbol in symbols.split()
]
CANDLES = {"binance": "klines", "coinbase": "candles", "kraken": "OHLC"}  # the endpoints
_LOOK_EVERY_S = 0.005
_READY_WITHIN_S = 180.0
Delays = dict[Partition, list[float]]  # in seconds


def main() -> None:
    """Prints the delays and the calls for each number of traders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--traders", type=int, nargs="+", default=[0, 10])
    parser.add_argument("--closes", type=int, default=4)
    options = parser.parse_args()
    for traders in options.traders:
        delays, calls = _measure(traders, options.closes)
        everything = [delay for found in delays.values() for delay in found]
        print(f"{traders} traders, {len(PARTITIONS)} partitions, {options.closes} closes:")
        print(f"  all       {_spread(everything)}")
        for exchange in SYMBOLS:
            own = [d for one, found in delays.items() if one.exchange == exchange for d in found]
            count = sum(one.exchange == exchange for one in delays) * options.closes
            print(
                f"  {exchange:9} {_spread(own)}; {calls[exchange]} calls for {count} closes, "
                f"{calls[exchange] / count:.2f} a close",
                flush=True,
            )


def _spread(delays: list[float]) -> str:
    ordered = sorted(delays)
    p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return (
        f"median {ordered[len(ordered) // 2] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
        f"worst {ordered[-1] * 1000:.0f} ms"
    )


def _measure(traders: int, closes: int) -> tuple[Delays, dict[str, int]]:
    with tempfile.TemporaryDirectory() as folder, LocalSuite(Path(folder)) as suite:
        suite.start_exchange()
        _start(suite, traders)
        database = schema.open_database(suite.database_url)
        try:
            opens = _wait_until_ready(suite, database, traders)
            clock = _clock_of(suite)
            _closed(suite, database, clock, opens)  # the first one is not counted
            before = _calls(suite)
            delays: Delays = {partition: [] for partition in PARTITIONS}
            for _ in range(closes):
                opens += Timeframe.M1.milliseconds
                for partition, delay in _closed(suite, database, clock, opens).items():
                    delays[partition].append(delay)
            after = _calls(suite)
        finally:
            database.close()
    return delays, {exchange: after[exchange] - before[exchange] for exchange in after}


def _start(suite: LocalSuite, traders: int) -> None:
    wanted = "\n".join(
        f"  - {{exchange: {one.exchange}, symbol: {one.symbol}, timeframe: {one.timeframe}}}"
        for one in PARTITIONS
    )
    configuration = suite.folder / "backfiller.yml"
    configuration.write_text(f"history: 3h\npartitions:\n{wanted}\n", encoding="utf-8")
    suite.start_backfiller(BACKFILLER_CONFIG=str(configuration))
    for number in range(traders):
        partition = PARTITIONS[number * len(PARTITIONS) // traders]
        suite.start_trader(
            f"bench-{number}",
            EXCHANGE=partition.exchange,
            SYMBOL=partition.symbol,
            TIMEFRAME=partition.timeframe.value,
        )


def _wait_until_ready(suite: LocalSuite, database: Database, traders: int) -> int:
    """The open time of the first candle to wait for, when all history is there and traders are awake."""
    signals = sa.select(sa.func.count(schema.signals.c.strategy_id.distinct()))
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        suite.require_running()
        now = int(suite.rehearsal("clock")["now_ms"])
        there = _there(database, Timeframe.M1.newest_closed(now))
        with database.read() as connection:
            awake = connection.execute(signals).scalar_one()
        if len(there) == len(PARTITIONS) and awake == traders:
            return Timeframe.M1.floor(now)
        if time.monotonic() > deadline:
            raise SystemExit(
                f"within {_READY_WITHIN_S:.0f} s: expected {len(PARTITIONS)} partitions filled and "
                f"{traders} traders with signals, found {len(there)} and {awake}"
            )
        time.sleep(0.2)


def _closed(
    suite: LocalSuite, database: Database, clock: MarketClock, opens: int
) -> dict[Partition, float]:
    """How long after its close each partition's candle was there, in seconds; ends when all are."""
    closes = clock.wall_at(Timeframe.M1.close_of(opens)) / 1000  # this machine's time
    time.sleep(max(closes - time.time() - 0.5, 0.0))
    delays: dict[Partition, float] = {}
    seen = None
    with closing(Watch(database)) as watch:
        while len(delays) < len(PARTITIONS):
            if (commits := watch.commits()) != seen:
                seen = commits
                there = _there(database, opens)
                delay = time.time() - closes
                delays |= {partition: delay for partition in there if partition not in delays}
            suite.require_running()
            if time.time() > closes + Timeframe.M1.milliseconds / 1000:
                late = [str(partition) for partition in PARTITIONS if partition not in delays]
                raise SystemExit(f"not there at the next close: {', '.join(late)}")
            time.sleep(_LOOK_EVERY_S)
    return delays


def _there(database: Database, opens: int) -> set[Partition]:
    """The partitions whose candle of that open time is stored: a key look-up for each."""
    table = schema.ohlcv_data
    query = sa.select(table.c.exchange, table.c.symbol).where(
        table.c.exchange.in_(list(SYMBOLS)),
        table.c.symbol.in_(sorted({one.symbol for one in PARTITIONS})),
        table.c.timeframe == Timeframe.M1.value,
        table.c.timestamp == opens,
    )
    with database.read() as connection:
        return {Partition(row[0], row[1], Timeframe.M1) for row in connection.execute(query)}


def _clock_of(suite: LocalSuite) -> MarketClock:
    """The exchange's clock, from the quickest of some answers."""
    answers = []
    for _ in range(20):
        began = time.perf_counter()
        told = int(suite.rehearsal("clock")["now_ms"])
        answers.append((time.perf_counter() - began, told, wall_now()))
    _, told, arrived = min(answers)
    return MarketClock(told, arrived)


def _calls(suite: LocalSuite) -> dict[str, int]:
    """How often each exchange was asked for candles."""
    answer = suite.rehearsal("calls")
    return {exchange: answer[exchange].get(path, 0) for exchange, path in CANDLES.items()}


if __name__ == "__main__":
    main()
