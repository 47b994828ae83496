"""API calls at the exchange, with 1, 10 and 50 traders on the same partition.

    python -m benchmarks.api_calls [--traders 1 10 50] [--seconds 60]

Starts a practice exchange at the market's own speed, the backfiller, and that many trader processes on binance
BTC/USDT 1m; after everything has settled it counts the exchange's own record of requests for the given time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import urllib.request
from pathlib import Path

import sqlalchemy as sa

import schema
from scripts.local_suite import LocalSuite

CONFIGURATION = """\
history: 1d
partitions:
  - {exchange: binance, symbol: BTC/USDT, timeframe: 1m}
"""
_DEADLINE_S = 240.0


def main() -> None:
    """Prints the calls a minute for each number of traders, by endpoint."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--traders", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    for traders in options.traders:
        calls = _measure(traders, options.seconds)
        total = sum(calls.values()) / options.seconds * 60
        detail = ", ".join(f"{name} {count}" for name, count in sorted(calls.items()) if count)
        print(
            f"{traders:3} traders: {total:.1f} calls a minute ({detail} in {options.seconds:.0f} s)",
            flush=True,
        )


def _measure(traders: int, seconds: float) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder, LocalSuite(Path(folder)) as suite:
        configuration = Path(folder) / "backfiller.yml"
        configuration.write_text(CONFIGURATION, encoding="utf-8")
        suite.start_exchange()
        suite.start_backfiller(BACKFILLER_CONFIG=str(configuration))
        for number in range(traders):
            suite.start_trader(
                f"bench-{number}", EXCHANGE="binance", SYMBOL="BTC/USDT", TIMEFRAME="1m"
            )
        _wait_until_all_have_signals(suite, traders)
        before = _calls(suite.exchange_url)
        time.sleep(seconds)  # the measurement itself: what the exchange is asked in this time
        after = _calls(suite.exchange_url)
        return {name: count - before.get(name, 0) for name, count in after.items()}


def _wait_until_all_have_signals(suite: LocalSuite, traders: int) -> None:
    database = schema.open_database(suite.database_url)
    query = sa.select(sa.func.count(schema.signals.c.strategy_id.distinct()))
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        suite.require_running()
        with database.read() as connection:
            if connection.execute(query).scalar_one() == traders:
                break
        if time.monotonic() > deadline:
            raise SystemExit(
                f"the {traders} traders did not write their signals within {_DEADLINE_S:.0f} s"
            )
        time.sleep(0.5)
    database.close()


def _calls(exchange: str) -> dict[str, int]:
    """The exchange's own count of requests, by endpoint."""
    with urllib.request.urlopen(f"{exchange}/practice/calls", timeout=5) as answer:  # noqa: S310 - our own
        counts = json.load(answer)
    return {
        f"{name} {path}": count for name, paths in counts.items() for path, count in paths.items()
    }


if __name__ == "__main__":
    main()
