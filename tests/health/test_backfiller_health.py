"""The backfiller is healthy by what it has achieved; each way of achieving nothing turns it unhealthy, with why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise

import pytest

from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller.surroundings import rows, stored
from tests.health.daemon import ROOT, until

ONE = "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1m, history: 2h}]"
TWO = """
request_timeout_s: 1
partitions:
  - {exchange: binance, symbol: BTC/USDT, timeframe: 1m, history: 2h}
  - {exchange: coinbase, symbol: BTC/USD, timeframe: 1m, history: 2h}
"""
# Shorter limits, so that a test need not wait for minutes.
HASTY = """
from backfiller import punctuality
punctuality.LATE_S, punctuality.STUCK_S, punctuality._TURN_S = 3.0, 6.0, 0.1
"""
HASTY_WRITES = """
from common import database, heartbeat
database._LOCK_DEADLINE_S, heartbeat._UNWRITTEN_S, heartbeat.ROW_EVERY_S = 1.0, 4.0, 1.0
"""
HANGS_AT_BINANCE = """
import asyncio, pathlib
from backfiller.source import Source
honest = Source.candles
async def candles(self, partition, span):
    if self.exchange == "binance" and pathlib.Path({file!r}).exists():
        await asyncio.Event().wait()
    return await honest(self, partition, span)
Source.candles = candles
"""
DIES = """
from backfiller.tickers import Tickers
async def take(self, symbols):
    raise RuntimeError("a mistake in the program")
Tickers.take = take
"""
NO_TICKERS = """
import asyncio
from backfiller.tickers import Tickers
async def take(self, symbols):
    await asyncio.Event().wait()
Tickers.take = take
"""


@pytest.fixture
def backfiller(practice, daemon, tmp_path):
    def start(config: str, first: str = ""):
        file = tmp_path / "backfiller.yml"
        file.write_text(config, encoding="utf-8")
        environment = practice.environment | {"BACKFILLER_CONFIG": str(file)}
        return daemon("backfiller", first=first, **environment)

    return start


def state(database) -> str:
    found = rows(database, "SELECT state || ': ' || detail FROM fleet_health")
    return str(found[0][0]) if found else ""


def test_one_that_keeps_up_is_healthy_and_says_so(backfiller, database):
    found = backfiller(ONE, HASTY)
    assert found.until_said(0, "ok: 1 partitions") == "ok: 1 partitions"
    found.stays_healthy(12.0)
    until(lambda: state(database) == "ok: 1 partitions", "a row that says the same")


def test_a_loop_that_stands_still_is_unhealthy_and_well_again_when_it_goes_on(backfiller):
    found = backfiller(ONE, "from common import heartbeat\nheartbeat.GOOD_FOR_S = 3.0")
    found.until_said(0, "ok: ")
    found.signal(signal.SIGSTOP)
    said = found.until_said(1, "expected a heartbeat within 3 s, found one ")
    assert said.endswith("the daemon hangs; it last said 'ok: 1 partitions'")
    found.signal(signal.SIGCONT)
    found.until_said(0, "ok: ")


def test_an_exchange_whose_worker_hangs_for_ever_is_named_and_the_others_go_on(
    backfiller, database, tmp_path
):
    file = tmp_path / "hang"
    found = backfiller(TWO, HASTY + HANGS_AT_BINANCE.format(file=str(file)))
    found.until_said(0, "ok: 2 partitions")
    file.touch()
    said = found.until_said(1, "unhealthy: binance BTC/USDT 1m: not asked for ")
    assert "though a candle is due" in said
    assert "coinbase" not in said
    assert found.log.read_text().count('"event": "stuck"') == 1
    until(lambda: state(database).startswith("stuck: binance BTC/USDT 1m"), "a row that says so")
    count = len(stored(database, "coinbase", "BTC/USD", "1m"))
    until(lambda: len(stored(database, "coinbase", "BTC/USD", "1m")) > count, "coinbase's candles")


def test_tickers_that_are_not_asked_for_any_more_are_noticed(backfiller):
    config = f"ticker_interval_s: 0.1\n{ONE}"
    backfiller(config, HASTY + NO_TICKERS).until_said(1, "binance: tickers not asked for ")


def test_a_worker_that_dies_takes_the_daemon_with_it_so_that_it_is_started_again(backfiller):
    found = backfiller(ONE, DIES)
    assert found.process.wait(60) == 1
    assert "a mistake in the program" in found.log.read_text()


def test_an_exchange_that_is_down_is_told_and_is_no_reason_to_start_the_daemon_anew(
    backfiller, practice, database
):
    found = backfiller(TWO, HASTY)
    found.until_said(0, "ok: 2 partitions")
    practice.fail(exchange="binance", kind="status", status=503, count=None)
    found.until_said(0, "backing_off: binance until ")
    found.stays_healthy(12.0)
    until(lambda: state(database).startswith("backing_off: binance until "), "a row that says so")
    practice.heal()
    found.until_said(0, "ok: 2 partitions")


def test_candles_that_an_exchange_alone_does_not_give_are_late_and_no_reason_either(
    backfiller, practice, database
):
    found = backfiller(ONE, HASTY)
    found.until_said(0, "ok: 1 partitions")
    practice.fail(exchange="binance", endpoint="klines", kind="body", body=[], count=None)
    found.until_said(0, "binance")
    found.stays_healthy(12.0)
    said = found.until_said(0, "late: 1 of 1 partitions of binance late, binance BTC/USDT 1m: ")
    assert "expected candles, found an empty list" in said


def test_a_write_lock_that_somebody_holds_turns_it_unhealthy_and_then_it_goes_on(
    backfiller, database
):
    found = backfiller(ONE, HASTY + HASTY_WRITES)
    found.until_said(0, "ok: 1 partitions")
    with database.write():
        said = found.until_said(1, "nothing could be written to the database for ")
        assert "the database was locked by another process for 1 s" in said
    found.until_said(0, "ok: 1 partitions")
    count = len(stored(database, "binance", "BTC/USDT", "1m"))
    until(lambda: len(stored(database, "binance", "BTC/USDT", "1m")) > count, "more candles")
    assert found.process.poll() is None


def test_a_market_in_which_nothing_trades_and_a_long_timeframe_stay_healthy(
    backfiller, practice, database
):
    config = """
    partitions:
      - {exchange: coinbase, symbol: AMP/USD, timeframe: 1m, history: 3h}
      - {exchange: binance, symbol: BTC/USDT, timeframe: 1d, history: 30d}
    """
    found = backfiller(config, HASTY)
    found.until_said(0, "ok: 2 partitions")
    found.stays_healthy(12.0)
    partition = Partition("coinbase", "AMP/USD", Timeframe.M1)
    quiet = MarketData(database).timestamps(partition, 0, practice.now())
    steps = {later - sooner for sooner, later in pairwise(quiet)}
    assert max(steps) > 60_000, "expected a market that was quiet for a while"


def test_once_does_not_wait_for_a_lock_and_does_not_say_that_it_is_done(
    practice, database, database_url, tmp_path
):
    file = tmp_path / "backfiller.yml"
    file.write_text(ONE, encoding="utf-8")
    program = (
        "import sys\nfrom common import database\ndatabase._LOCK_DEADLINE_S = 0.5\n"
        "from backfiller.__main__ import main\nsys.exit(main(['--once']))"
    )
    environment = {**os.environ, **practice.environment, "BACKFILLER_CONFIG": str(file)}
    with database.write():
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment | {"DATABASE_URL": database_url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode in {1, 75}
    assert "the database was locked by another process" in done.stderr
    assert "Traceback" not in done.stderr
