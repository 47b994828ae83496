"""A disk that is full stops writing, and nothing else; writing goes on by itself when there is room."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest
import sqlalchemy as sa

import schema
from common.candle import Candle
from common.database_failures import DatabaseFull
from common.events import EventLog
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller.surroundings import Daemons, rows, stored, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.database import Database

MARKET = ("binance", "BTC/USDT", "1m")
CONFIG = """
partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1m, history: 15d}]
upkeep: {warn_free: 0MB, warn_free_percent: 0, stop_free: %s, watch_interval_s: 0.1}
"""
FIFTEEN_DAYS = 15 * 1440 - 1
MEGABYTE = 1_000_000
ONE = Partition("binance", "BTC/USDT", Timeframe.M1)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = schema.open_database(url)
    yield database
    database.close()


def candles(count: int) -> list[Candle]:
    return [Candle(number * 60_000, 2.0, 3.0, 1.0, 2.0, 5.0) for number in range(count)]


@pytest.fixture
def daemons_on_it(tmp_path, small_disk) -> Iterator[Daemons]:
    found = Daemons(tmp_path, small_disk.database_url)
    yield found
    found.end()


def beats(file, count: int) -> None:
    """Waits until the daemon's main loop has come around so often."""
    seen = {file.stat().st_mtime_ns}

    def has_come() -> bool:
        seen.add(file.stat().st_mtime_ns)
        return len(seen) > count

    until(has_come, f"{count} heartbeats")


def test_a_disk_that_is_full_amid_a_backfill_is_waited_out_and_nothing_is_lost(
    practice, small_disk, daemons_on_it, tmp_path
):
    small_disk.leave(MEGABYTE)
    beat = tmp_path / "heartbeat"
    daemon = daemons_on_it.start(practice, CONFIG % "0MB", HEARTBEAT_FILE=str(beat))
    until(lambda: small_disk.free() < 100_000 or daemon.poll() is not None, "a full disk")
    beats(beat, 2)

    process, asked = psutil.Process(daemon.pid), practice.calls("binance", "klines")
    busy = sum(process.cpu_times()[:2])
    beats(beat, 3)
    assert daemon.poll() is None
    assert practice.calls("binance", "klines") == asked
    assert sum(process.cpu_times()[:2]) - busy < 1.0

    small_disk.ballast.unlink()
    with opened(small_disk.database_url) as database:
        until(lambda: len(stored(database, *MARKET)) >= FIFTEEN_DAYS, "all candles")
        found = stored(database, *MARKET)
        assert found == practice.truth(*MARKET, found[0][0])[: len(found)]
        assert rows(database, "PRAGMA integrity_check") == [("ok",)]
        kinds = [kind for (kind,) in rows(database, "SELECT kind FROM events ORDER BY event_id")]
        assert kinds == ["disk_full", "disk_has_room"]
        until(lambda: rows(database, "SELECT state FROM heartbeats") == [("ok",)], "a state of ok")
    daemon.send_signal(signal.SIGTERM)
    _, log = daemon.communicate(timeout=10)
    assert (daemon.returncode, log.count("disk_full")) == (0, 1), log


def test_below_the_floor_nothing_is_fetched_and_the_heartbeat_says_why(
    practice, small_disk, daemons_on_it
):
    small_disk.leave(5 * MEGABYTE)
    asked = practice.calls("binance", "klines")
    daemon = daemons_on_it.start(practice, CONFIG % "8MB")
    with opened(small_disk.database_url) as database:
        state, detail = until(lambda: rows(database, "SELECT state, detail FROM heartbeats"), "it")[
            0
        ]
        assert state == "disk_full"
        assert detail.startswith("nothing is written: ")
        assert "writing stops below 8.0 MB" in detail
        until(lambda: rows(database, "SELECT 1 FROM events WHERE kind = 'disk_full'"), "an event")
        assert practice.calls("binance", "klines") == asked
        assert stored(database, *MARKET) == []

        small_disk.ballast.unlink()
        until(lambda: len(stored(database, *MARKET)) >= FIFTEEN_DAYS, "all candles")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(5) == 0


def test_once_ends_with_a_full_disk_and_says_so(practice, small_disk, daemons_on_it):
    small_disk.leave(MEGABYTE)
    status, said = daemons_on_it.run(practice, CONFIG % "0MB", "--once")
    assert status == 1
    assert "database or disk is full" in said
    assert "Traceback" not in said


def test_a_write_without_room_does_not_happen_and_happens_later(small_disk):
    with opened(small_disk.database_url) as database:
        market_data = MarketData(database)
        market_data.store_candles(ONE, candles(10))
        small_disk.leave(0)
        with pytest.raises(DatabaseFull, match="is full"):
            market_data.store_candles(ONE, candles(50_000))
        assert len(stored(database, *MARKET)) == 10
        small_disk.ballast.unlink()
        assert market_data.store_candles(ONE, candles(20_000)) == 19_990
        assert rows(database, "PRAGMA integrity_check") == [("ok",)]


def test_a_database_that_may_not_grow_is_full_too_and_keeps_no_half_batch(database_url):
    with opened(database_url) as database:
        pages = rows(database, "PRAGMA page_count")[0][0]
        limit = f"PRAGMA max_page_count = {pages + 8}"
        database.engine.dispose()
        sa.event.listen(database.engine, "connect", lambda connection, _: connection.execute(limit))
        market_data = MarketData(database)
        with pytest.raises(DatabaseFull, match="is full"):
            market_data.store_candles(ONE, candles(5_000))
        assert stored(database, *MARKET) == []
        EventLog(database, "test").keep("info", "small", "what fits is still written")
