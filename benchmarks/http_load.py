"""The initial load over HTTP: the backfiller with its database against ccxt alone.

    python -m benchmarks.http_load [--exchange binance] [--candles 300000] [--symbols 3] [--rounds 3] [--unlimited]

`suite` is `python -m backfiller --once` on a practice exchange without latency, into a new database. `ccxt` asks
for the same pages with a client of the same options, as many at a time, and drops the rows. Both are processes of
their own, timed from the first request for candles to their end, and alternate in one run. ccxt's own rate limit
holds both back alike; --unlimited lifts it for both, which no exchange would bear, to show what the suite costs.
Prints candles a second, the processor time of each, and the ratio of the rates.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

import schema
from backfiller.history import _LANES
from backfiller.planner import Span, windows
from common import exchange
from common.timeframe import Timeframe
from scripts.local_suite import LocalSuite

ROOT = Path(__file__).parents[1]
PAGES = {"binance": 1000, "coinbase": 300}  # how many candles one answer holds
SYMBOLS = {
    "binance": ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "LTC/USDT"],
    "coinbase": ["BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD", "LTC/USD"],
}
STEP = Timeframe.M1.milliseconds
NOW = datetime(2025, 6, 1, tzinfo=UTC)  # the market's, at the beginning


@dataclass(frozen=True, slots=True)
class Load:
    """What is loaded: candles of 1m, the same number of each symbol, up to the one before NOW."""

    exchange: str
    symbols: list[str]
    each: int

    @property
    def span(self) -> Span:
        """The candles of each symbol."""
        end = int(NOW.timestamp() * 1000)
        return Span(end - self.each * STEP, end - STEP)

    @property
    def candles(self) -> int:
        """How many in all."""
        return self.each * len(self.symbols)

    def configuration(self) -> str:
        """The backfiller's configuration file."""
        since = datetime.fromtimestamp(self.span.first / 1000, UTC).isoformat()
        lines = [
            f"  - {{exchange: {self.exchange}, symbol: {symbol}, timeframe: 1m, since: {since}}}"
            for symbol in self.symbols
        ]
        return "\n".join(["partitions:", *lines]) + "\n"


@dataclass(frozen=True, slots=True)
class Timed:
    """One way, once, in seconds."""

    wall: float
    processor: float  # of its own process, from the first request on
    exchange: float  # of the practice exchange, meanwhile


def main() -> None:
    """Prints each way's rate, and their ratio."""
    options = _options()
    load = Load(
        options.exchange,
        SYMBOLS[options.exchange][: options.symbols],
        options.candles // options.symbols,
    )
    times: dict[str, list[Timed]] = {"ccxt": [], "suite": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalSuite(Path(folder), start=NOW.isoformat()) as suite,
    ):
        suite.start_exchange()
        _run(suite, load, "ccxt", options)  # the exchange makes its prices now
        for _ in range(options.rounds):
            for way, found in times.items():
                found.append(_run(suite, load, way, options))
    for way, found in times.items():
        wall, processor, exchange_ = (
            statistics.median(getattr(one, name) for one in found)
            for name in ("wall", "processor", "exchange")
        )
        print(
            f"{way:5}: {load.candles / wall:,.0f} candles/s ({wall:.1f} s; processor time {processor:.1f} s "
            f"of its own, {exchange_:.1f} s of the exchange; medians of {options.rounds})"
        )
    ratios = [
        alone.wall / ours.wall for alone, ours in zip(times["ccxt"], times["suite"], strict=True)
    ]
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"ratio suite / ccxt: {statistics.median(ratios):.2f} ({told})")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--exchange", choices=sorted(PAGES), default="binance")
    parser.add_argument("--candles", type=int, default=300_000)
    parser.add_argument("--symbols", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--unlimited", action="store_true", help="without ccxt's rate limit")
    return parser.parse_args()


def _run(suite: LocalSuite, load: Load, way: str, options: argparse.Namespace) -> Timed:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'trading.db'}"
        schema.upgrade(url)
        configuration = Path(folder) / "backfiller.yml"
        configuration.write_text(load.configuration(), encoding="utf-8")
        given = {
            "DATABASE_URL": url,
            "BACKFILLER_CONFIG": str(configuration),
            "LOG_LEVEL": "error",
            f"{load.exchange.upper()}_API_URL": f"{suite.exchange_url}/{load.exchange}",
        }
        program = (
            f"from benchmarks.http_load import Load, as_{way}\n"
            f"as_{way}({load!r}, is_limited={not options.unlimited})"
        )
        server = psutil.Process(suite.daemons["practice"].process.pid)
        before = server.cpu_times()
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | given,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        after = server.cpu_times()
        if way == "suite":
            _require_all(url, load)
    wall, processor = map(float, done.stdout.split())
    return Timed(wall, processor, after.user + after.system - before.user - before.system)


def _require_all(url: str, load: Load) -> None:
    database = schema.open_database(url)
    table = schema.ohlcv_data
    query = sa.select(sa.func.count()).where(
        table.c.timestamp.between(load.span.first, load.span.last)
    )
    with database.read() as connection:
        found = connection.execute(query).scalar_one()
    database.close()
    if found != load.candles:
        raise SystemExit(f"expected {load.candles} candles in the database, found {found}")


# --- the two ways, each in its own process -----------------------------------------------------------------


class _Watch:
    """Begins at the first request for candles of any client, whose rate limit it lifts if it is to."""

    def __init__(self, *, is_limited: bool) -> None:
        self._began: tuple[float, float] | None = None
        connect = exchange.connect

        def watched(*arguments: Any, **options: Any) -> Any:
            client = connect(*arguments, **options)
            client.enableRateLimit = is_limited
            fetch_ohlcv = client.fetch_ohlcv

            async def timed(*words: Any) -> Any:
                self._began = self._began or (time.perf_counter(), time.process_time())
                return await fetch_ohlcv(*words)

            client.fetch_ohlcv = timed
            return client

        exchange.connect = watched

    def tell(self) -> None:
        """Prints the seconds since then: wall time, processor time."""
        assert self._began is not None
        wall, processor = self._began
        print(time.perf_counter() - wall, time.process_time() - processor)


def as_suite(_: Load, *, is_limited: bool) -> None:
    """The backfiller, as it is configured by the environment."""
    from backfiller.__main__ import main as backfiller  # noqa: PLC0415 - not where ccxt is alone

    watch = _Watch(is_limited=is_limited)
    if status := backfiller(["--once"]):
        raise SystemExit(status)
    watch.tell()


def as_ccxt(load: Load, *, is_limited: bool) -> None:
    """Only ccxt, with nothing around it."""
    watch = _Watch(is_limited=is_limited)
    asyncio.run(_fetch(load))
    watch.tell()


async def _fetch(load: Load) -> None:
    client = exchange.connect(load.exchange)
    await client.load_markets()
    pages = windows([load.span], STEP, PAGES[load.exchange])
    todo = ((symbol, page) for page in pages for symbol in load.symbols)

    async def lane() -> None:
        for symbol, page in todo:
            until = {"until": page.last}
            await client.fetch_ohlcv(symbol, "1m", page.first, page.count(STEP), until)

    await asyncio.gather(*(lane() for _ in range(_LANES)))
    await client.close()


if __name__ == "__main__":
    main()
