"""Old months move to the archive, and nothing is ever lost on the way."""

from __future__ import annotations

import asyncio
import random
import signal
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backfiller.archive import month_file
from backfiller.archive.archiving import archive, due
from backfiller.archive.child import archive_in_child
from backfiller.settings import RetentionSettings
from common.archive import Archive, read_file
from common.clock import wall_now
from common.engine import load_driver
from common.errors import ConfigurationError
from common.events import EventLog
from common.history import History
from common.instance import Instance
from common.market_data import insert_rows
from common.month import Month
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe
from tests.backfiller_files import samples
from tests.backfiller_files.samples import HOUR, PARTITION, at, candles, stored
from tests.backfiller_files.test_import_at_length import MINUTES, start

RETENTION = RetentionSettings.model_validate({"default": "90d", "5m": "30d"})
NOW = at("2024-06-15")
HALF_YEAR = candles(166 * 24, start=at("2024-01-01"))  # to 2024-06-14


def archived(database, now=NOW):
    return archive(database, RETENTION, EventLog(database, "test"), now=now)


def whole(database, partition=PARTITION):
    return list(History(database).candles(partition))


def pages(database, which="page_count"):
    with database.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {which}").scalar()


def register(database, warmup, partition=PARTITION):
    registration = Registration("a", partition, "rsi", None, "paper", {}, warmup, Decimal(1000))
    Registry(database).register(registration)


def test_whole_months_before_the_retention_move_and_no_other(database):
    samples.store(database, HALF_YEAR)
    run = archived(database)  # ninety days before is 2024-03-17
    assert [str(moved.month) for moved in run.moved] == ["2024-01", "2024-02"]
    assert stored(database) == [row for row in HALF_YEAR if row[0] >= at("2024-03-01")]
    folder = database.path.parent / "archive" / "binance" / "BTC-USDT" / "1h"
    assert sorted(path.name for path in folder.iterdir()) == ["2024-01.parquet", "2024-02.parquet"]
    assert read_file(folder / "2024-02.parquet") == HALF_YEAR[31 * 24 : 60 * 24]
    assert whole(database) == HALF_YEAR
    assert Archive(database).spans(PARTITION) == [
        (at("2024-01-01"), at("2024-02-01") - HOUR),
        (at("2024-02-01"), at("2024-03-01") - HOUR),
    ]


@pytest.mark.parametrize(("now", "months"), [(at("2024-02-01"), 1), (at("2024-02-01") - 1, 0)])
def test_a_month_moves_in_the_millisecond_when_its_end_is_as_old_as_the_retention(
    database, now, months
):
    samples.store(database, HALF_YEAR)
    assert len(archived(database, now=now + RETENTION.default).moved) == months


def test_each_timeframe_has_its_own_retention(database):
    partition = Partition("binance", "BTC/USDT", Timeframe.M5)
    samples.store(database, candles(50, start=at("2024-04-30T22:00"), step=300_000), partition)
    samples.store(database, candles(50, start=at("2024-04-29")))
    assert [(p.timeframe, str(m)) for p, m in due(database, RETENTION, now=NOW)] == [
        (Timeframe.M5, "2024-04")
    ]


def test_a_second_run_finds_nothing_to_do(database):
    samples.store(database, HALF_YEAR)
    archived(database)
    before = Archive(database).version(PARTITION, Month(2024, 1))
    assert archived(database).moved == []
    assert Archive(database).version(PARTITION, Month(2024, 1)) == before


def test_late_rows_are_merged_into_the_month_that_was_archived_before(database):
    samples.store(database, HALF_YEAR[:100] + HALF_YEAR[300:])
    archived(database)
    samples.store(database, HALF_YEAR[100:300])
    assert [moved.deleted for moved in archived(database).moved] == [200]
    assert read_file(Archive(database).path(PARTITION, Month(2024, 1))) == HALF_YEAR[: 31 * 24]
    assert whole(database) == HALF_YEAR


def test_a_file_that_does_not_read_back_as_written_deletes_nothing(database, monkeypatch):
    samples.store(database, HALF_YEAR)
    write = month_file.write

    def tampered(path, rows):
        write(path, [*rows[:5], (*rows[5][:5], 9999.0), *rows[6:]])

    monkeypatch.setattr(month_file, "write", tampered)
    run = archived(database)
    assert run.moved == []
    assert "2024-01.parquet: expected (1704085200000" in run.failed[0]
    assert "nothing was deleted" in run.failed[0]
    assert stored(database) == HALF_YEAR
    monkeypatch.undo()
    assert archived(database).failed == []
    assert whole(database) == HALF_YEAR


def test_a_damaged_archive_file_is_told_and_keeps_its_late_rows_in_the_database(
    database, run, capsys
):
    samples.store(database, HALF_YEAR)
    archived(database)
    path = Archive(database).path(PARTITION, Month(2024, 1))
    path.write_bytes(path.read_bytes()[:500])
    samples.store(database, HALF_YEAR[:10])
    failed = archived(database).failed
    assert len(failed) == 1
    assert str(path) in failed[0]
    assert stored(database)[:10] == HALF_YEAR[:10]
    assert (
        run(
            "export",
            "--exchange",
            "binance",
            "--symbol",
            "BTC/USDT",
            "--timeframe",
            "1h",
            "--output",
            path.parent,
        )
        == 2
    )
    assert "expected an archived month" in capsys.readouterr().err


def test_rows_that_arrive_between_writing_and_deleting_are_not_deleted(database, monkeypatch):
    samples.store(database, HALF_YEAR[1:])
    require_equal = month_file.require_equal

    def slow(path, rows):
        require_equal(path, rows)
        samples.store(database, HALF_YEAR[:1])

    monkeypatch.setattr(month_file, "require_equal", slow)
    run = archived(database)
    assert not run.moved[0].is_complete
    assert "the rest next time" in str(run.moved[0])
    assert whole(database) == HALF_YEAR
    archived(database)
    assert stored(database)[0][0] == at("2024-03-01")
    assert whole(database) == HALF_YEAR


@pytest.mark.parametrize(
    ("warmup", "oldest"),
    [
        (60 * 24, "2024-03-01"),
        (106 * 24, "2024-03-01"),
        (106 * 24 + 1, "2024-02-01"),
        (9_999, "2024-01-01"),
    ],
)
def test_what_a_registered_strategy_needs_to_warm_up_stays(database, warmup, oldest):
    samples.store(database, HALF_YEAR)
    register(database, warmup)
    archived(database)
    assert stored(database)[0][0] == at(oldest)


def test_the_warm_up_counts_back_from_the_newest_candle_and_not_from_now(database):
    samples.store(database, HALF_YEAR)
    register(database, 100)
    archived(database, now=at("2025-06-15"))
    assert stored(database)[0][0] == at("2024-06-01")


def test_a_strategy_that_registers_while_a_month_is_written_keeps_its_candles(
    database, monkeypatch
):
    samples.store(database, HALF_YEAR)
    require_equal = month_file.require_equal

    def slow(path, rows):
        require_equal(path, rows)
        register(database, 9_999)

    monkeypatch.setattr(month_file, "require_equal", slow)
    assert archived(database).moved[0].deleted == 0
    assert stored(database) == HALF_YEAR


def test_the_file_gets_shorter(database):
    samples.store(database, HALF_YEAR)
    with database.write() as connection:
        insert_rows(connection, MINUTES, candles(40_000, start=at("2024-01-01"), step=60_000))
    before = pages(database)
    run = archived(database)
    assert run.pages_given_back > 500
    assert pages(database, "freelist_count") == 0
    assert pages(database) <= before - run.pages_given_back


def test_a_file_made_without_incremental_vacuum_is_left_as_long_as_it_is(database):
    samples.store(database, HALF_YEAR)
    database.close()  # its connections, which are opened again below
    raw = load_driver().connect(str(database.path), isolation_level=None)
    raw.execute("PRAGMA journal_mode=DELETE")
    raw.execute("PRAGMA auto_vacuum=NONE")
    raw.execute("VACUUM")
    raw.close()
    run = archived(database)
    assert len(run.moved) == 2
    assert run.pages_given_back == 0


def test_a_killed_archiver_loses_nothing_and_its_rerun_completes_it(database_url, database, run):
    rows = candles(50_000, start=at("2024-01-01"), step=60_000)
    with database.write() as connection:
        insert_rows(connection, MINUTES, rows)
    chance = random.Random(7)
    for kill in range(3):
        process = start(database_url, "archive")
        if kill % 2:
            limit = len(stored(database, MINUTES)) - chance.randrange(1, 9_000)
            while process.poll() is None and len(stored(database, MINUTES)) > limit:
                pass
        else:
            folder = database.path.parent / "archive"
            while process.poll() is None and not list(folder.rglob("*.unfinished")):
                pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert whole(database, MINUTES) == rows
    assert run("archive") == 0
    assert stored(database, MINUTES) == []
    assert whole(database, MINUTES) == rows
    assert not list((database.path.parent / "archive").rglob("*.unfinished"))
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_dry_run_says_what_would_move_and_moves_nothing(database, run, capsys):
    samples.store(database, HALF_YEAR)
    assert run("archive", "--dry-run") == 0
    assert "binance BTC/USDT 1h 2024-02: 696 candles would be archived" in capsys.readouterr().out
    assert stored(database) == HALF_YEAR
    assert not (database.path.parent / "archive").exists()


def test_a_second_archiver_is_refused(database, run):
    held = Instance(database.path.parent, "archive", key="archive")
    with pytest.raises(
        ConfigurationError, match="archive: expected a name that no running process has"
    ):
        run("archive")
    held.release()


async def _in_child(url):
    return await archive_in_child({"DATABASE_URL": url, "BACKFILLER_CONFIG": "/dev/null"})


def test_the_daemon_archives_in_a_process_of_its_own(database_url, database):
    samples.store(database, HALF_YEAR)
    status, problems = asyncio.run(_in_child(database_url))
    assert (status, problems) == (0, "")
    assert stored(database) == []
    assert whole(database) == HALF_YEAR


def test_a_month_whose_file_was_taken_away_is_not_counted_as_there(database):
    samples.store(database, HALF_YEAR)
    archived(database)
    Archive(database).path(PARTITION, Month(2024, 1)).unlink()
    archived(database)
    assert Archive(database).spans(PARTITION) == [(at("2024-02-01"), at("2024-03-01") - HOUR)]


@given(
    st.lists(st.sampled_from("das b"), min_size=90, max_size=90),
    st.integers(-5, 2000),
    st.integers(-5, 2000),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_history_is_the_same_however_it_is_split_between_database_and_archive(
    database, places, since, until
):
    """d: in the database; a: in the archive; s: in both; b: in both, and the database's counts; blank: nowhere."""
    rows = candles(90, start=at("2024-01-25"), step=24 * HOUR)
    rows = [row for row, place in zip(rows, places, strict=True) if place != " "]
    kept = [place for place in places if place != " "]
    in_archive = [
        row if place != "b" else (*row[:5], 12345.0)
        for row, place in zip(rows, kept, strict=True)
        if place != "d"
    ]
    in_database = [row for row, place in zip(rows, kept, strict=True) if place != "a"]
    store = Archive(database)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM ohlcv_data")
    for month in [Month(2024, number) for number in (1, 2, 3, 4)]:
        store.path(PARTITION, month).unlink(missing_ok=True)
        of_month = [row for row in in_archive if Month.of(row[0]) == month]
        if of_month:
            month_file.write(store.path(PARTITION, month), of_month)
    with database.write() as connection:
        if in_database:
            insert_rows(connection, PARTITION, in_database)
    assert whole(database) == rows
    first, last = at("2024-01-25") + since * HOUR, at("2024-01-25") + until * HOUR
    found = list(History(database).candles(PARTITION, first, last))
    assert found == [row for row in rows if first <= row[0] <= last]


def test_an_empty_history_is_empty(database):
    assert whole(database) == []
    assert list(History(database).candles(PARTITION, 0, wall_now())) == []


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_lies_in_its_month(timestamp):
    month = Month.of(timestamp)
    assert month.start <= timestamp <= month.last
    assert Month.of(month.last + 1) == month.next()
    assert Month.parse(str(month)) == month
