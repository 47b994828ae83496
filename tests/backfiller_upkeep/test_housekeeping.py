"""Checkpoints, statistics, the archive and the watch on the disk, as the daemon does them by itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

import schema
from backfiller.settings import BackfillerSettings
from backfiller.upkeep.disk import Disk, Room
from backfiller.upkeep.settings import UpkeepSettings
from backfiller.upkeep.wal import checkpoint, optimize
from common.candle import Candle
from common.errors import ConfigurationError
from common.market_data import MarketData
from common.partition import Partition
from common.settings import load
from common.timeframe import Timeframe
from tests.backfiller.surroundings import Daemons, rows, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from common.database import Database

ONE = Partition("binance", "BTC/USDT", Timeframe.H1)
HOUR = 3_600_000
JANUARY = 1_735_689_600_000  # 2025: the practice exchange lives in June
MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000
LIMIT = 400_000


@contextmanager
def writer(url: str) -> Iterator[Database]:
    """A database whose commits never checkpoint."""
    database = schema.open_database(url, checkpoint_pages=1_000_000)
    yield database
    database.close()


def grow(database: Database, start: int = 0, count: int = 30_000) -> None:
    """At most 48 bytes of WAL for each."""
    candles = [Candle((start + number) * HOUR, 2.0, 3.0, 1.0, 2.0, 5.0) for number in range(count)]
    MarketData(database).store_candles(ONE, candles)


def wal_of(database: Database) -> Path:
    return database.path.with_name(f"{database.path.name}-wal")


def test_a_wal_is_cut_when_nobody_reads_and_left_while_somebody_does(database_url):
    with writer(database_url) as database:
        grow(database)
        before = wal_of(database).stat().st_size
        assert not checkpoint(database, truncate=False).truncated
        with database.read() as reading:
            reading.exec_driver_sql("SELECT count(*) FROM events").all()
            grow(database, start=30_000)
            assert not checkpoint(database, truncate=True).truncated
            assert wal_of(database).stat().st_size >= before
        assert checkpoint(database, truncate=True).truncated
        assert wal_of(database).stat().st_size == 0
        assert rows(database, "SELECT count(*) FROM ohlcv_data") == [(60_000,)]


def test_optimize_leaves_statistics_for_the_planner(database_url):
    with writer(database_url) as database:
        grow(database, count=1_000)
        optimize(database, first=True)
        assert rows(database, "SELECT 1 FROM sqlite_stat1 WHERE tbl = 'ohlcv_data'")


def test_a_daemon_cuts_the_wal_of_others_and_names_a_reader_without_an_end(
    practice, daemons, database_url
):
    daemons.start(
        practice,
        "upkeep: {wal_limit: 400kB, checkpoint_interval_s: 0.1}",
    )
    with writer(database_url) as database:
        until(lambda: rows(database, "SELECT 1 FROM heartbeats"), "a running daemon")
        grow(database)
        until(lambda: wal_of(database).stat().st_size < LIMIT, "a WAL that was cut")
        with database.read() as reading:
            reading.exec_driver_sql("SELECT count(*) FROM events").all()
            grow(database, start=30_000, count=60_000)
            told = "SELECT message FROM events WHERE kind = 'wal_grows'"
            found = until(lambda: rows(database, told), "an event")
            assert "some process reads without an end" in found[0][0]
        until(lambda: wal_of(database).stat().st_size < LIMIT, "a WAL that was cut")
        assert len(rows(database, told)) == 1


def test_the_daily_work_archives_in_another_process_by_the_exchange_s_time(
    practice, daemons, database
):
    old = [Candle(JANUARY + hour * HOUR, 2.0, 3.0, 1.0, 2.0, 5.0) for hour in range(100)]
    new = [Candle(practice.now() // HOUR * HOUR - 40 * HOUR, 2.0, 3.0, 1.0, 2.0, 5.0)]
    MarketData(database).store_candles(ONE, old + new)
    daemon = daemons.start(
        practice,
        "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1h, history: 1d}]\n"
        "retention: {default: 30d}\nupkeep: {daily_first_after_s: 2}",
    )
    found = until(lambda: rows(database, "SELECT month, candles FROM archived_months"), "a month")
    assert found == [("2025-01", 100)]
    assert MarketData(database).oldest_candle(ONE) == new[0].timestamp
    assert rows(database, "SELECT 1 FROM sqlite_stat1")
    process = psutil.Process(daemon.pid)
    assert not [file.path for file in process.memory_maps() if "polars" in file.path]
    assert process.memory_info().rss < 160 * MEGABYTE


def test_a_disk_that_gets_low_is_told_once(practice, small_disk, tmp_path):
    daemons = Daemons(tmp_path, small_disk.database_url)
    daemons.start(
        practice,
        "upkeep: {warn_free: 8MB, warn_free_percent: 0, stop_free: 1MB, watch_interval_s: 0.1}",
    )
    database = schema.open_database(small_disk.database_url)
    try:
        until(lambda: rows(database, "SELECT 1 FROM heartbeats WHERE state = 'ok'"), "a daemon")
        assert rows(database, "SELECT * FROM events") == []
        small_disk.leave(5 * MEGABYTE)
        low = "SELECT 1 FROM heartbeats WHERE state = 'ok' AND detail LIKE '%, disk low: %'"
        until(lambda: rows(database, low), "a heartbeat that says so")
        assert rows(database, "SELECT level, kind FROM events") == [("warning", "disk_low")]
    finally:
        database.close()
        daemons.end()


@pytest.mark.parametrize(
    ("free", "total", "is_closed", "room"),
    [
        (50 * GIGABYTE, 100 * GIGABYTE, False, Room.PLENTY),
        (4 * GIGABYTE, 100 * GIGABYTE, False, Room.LOW),
        (GIGABYTE - 1, 10 * GIGABYTE, False, Room.LOW),
        (100 * MEGABYTE, GIGABYTE, False, Room.LOW),
        (100 * MEGABYTE - 1, GIGABYTE, False, Room.NONE),
        (105 * MEGABYTE, GIGABYTE, True, Room.NONE),
        (110 * MEGABYTE + 1, GIGABYTE, True, Room.LOW),
    ],
)
def test_room_is_judged_by_the_size_and_the_share_that_are_left(free, total, is_closed, room):
    assert Disk(free, total, 0, 0).room(UpkeepSettings(), is_closed=is_closed) is room


def test_sizes_are_read_and_a_wrong_one_is_named(tmp_path):
    def loaded(text: str) -> BackfillerSettings:
        file = tmp_path / "backfiller.yml"
        file.write_text(text, encoding="utf-8")
        return load(BackfillerSettings, file=file, environment={}, variables={})

    assert loaded("upkeep: {stop_free: 2GB}").upkeep.stop_free == 2 * GIGABYTE
    with pytest.raises(
        ConfigurationError, match="upkeep.stop_free: expected a size such as 100MB or 2GB"
    ):
        loaded("upkeep: {stop_free: lots}")
    with pytest.raises(ConfigurationError, match="unknown key; did you mean 'stop_free'?"):
        loaded("upkeep: {stop_fre: 1GB}")
