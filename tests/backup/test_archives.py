"""The archive in backups: each version of a month once, named by the backups that need it, and restored with them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import schema
from backfiller.archive.archiving import archive
from backfiller.settings import RetentionSettings
from candlewell.backup import archives
from candlewell.backup.catalogue import backups_in
from common.archive import read_file
from common.events import EventLog
from common.history import History
from tests.backfiller_files import samples
from tests.backfiller_files.samples import PARTITION, at, candles
from tests.backup.conftest import names

if TYPE_CHECKING:
    from pathlib import Path

NOW = at("2024-06-15")
HALF_YEAR = candles(166 * 24, start=at("2024-01-01"))  # to 2024-06-14
MONTHS = "archive/binance/BTC-USDT/1h"


def archived_month(data: Path, month: str, content: bytes) -> Path:
    """A file where an archived month would be."""
    path = data / MONTHS / f"{month}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def archived(url: str, days: int = 90) -> None:
    """Moves what is older to the archive."""
    database = schema.open_database(url)
    retention = RetentionSettings.model_validate({"default": f"{days}d"})
    archive(database, retention, EventLog(database, "backfiller"), now=NOW)
    database.close()


def stored(url: str, rows) -> None:
    database = schema.open_database(url)
    samples.store(database, rows)
    database.close()


def history(url: str):
    database = schema.open_database(url)
    found = list(History(database).candles(PARTITION))
    database.close()
    return found


def kept_months(folder: Path) -> list[str]:
    return [path.name.rpartition("-")[0] for path in sorted((folder / MONTHS).iterdir())]


def test_the_archive_comes_back_with_the_database(command, database, database_url):
    stored(database_url, HALF_YEAR)
    archived(database_url)
    assert command("backup")[0] == 0
    shutil.rmtree(database.parent)
    status, out, err = command("restore")
    assert (status, err) == (0, "")
    assert "2 archived months" in out
    assert history(database_url) == HALF_YEAR
    assert names(database.parent / MONTHS) == ["2024-01.parquet", "2024-02.parquet"]


def test_only_what_is_new_is_copied(command, database, database_url, folder):
    stored(database_url, HALF_YEAR)
    archived(database_url)
    command("backup")
    before = {path: path.stat().st_mtime_ns for path in (folder / MONTHS).iterdir()}
    assert len(before) == 2
    archived(database_url, days=60)
    command("backup")
    assert kept_months(folder) == ["2024-01", "2024-02", "2024-03"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for path in before:
        assert path.stat().st_nlink == 1, "a copy, not a link"


def test_a_month_that_got_more_candles_is_kept_in_both_versions_while_both_are_needed(
    command, database, database_url, folder
):
    early = HALF_YEAR[48:]
    stored(database_url, early)
    archived(database_url)
    command("backup")
    stored(database_url, HALF_YEAR[:48])
    archived(database_url)
    command("backup")
    assert kept_months(folder) == ["2024-01", "2024-01", "2024-02"]
    first, _ = backups_in(folder)
    shutil.rmtree(database.parent)
    assert command("restore", first.path.name)[0] == 0
    assert history(database_url) == early
    shutil.rmtree(database.parent)
    assert command("restore")[0] == 0
    assert history(database_url) == HALF_YEAR
    only = ("--keep", 1, "--keep-daily", 0, "--keep-weekly", 0, "--keep-monthly", 0)
    assert command("backup", *only)[0] == 0
    assert kept_months(folder) == ["2024-01", "2024-02"]
    assert command("drill")[0] == 0


def test_a_month_with_more_candles_than_the_backups_stays(command, database, database_url):
    stored(database_url, HALF_YEAR[48:])
    archived(database_url)
    command("backup")
    stored(database_url, HALF_YEAR[:48])
    archived(database_url)
    status, out, _ = command("restore")
    assert status == 0
    assert "2024-01.parquet: is another version of that month, and stays" in out
    assert history(database_url) == HALF_YEAR


def test_a_damaged_month_is_replaced(command, database, database_url):
    stored(database_url, HALF_YEAR)
    archived(database_url)
    command("backup")
    (database.parent / MONTHS / "2024-01.parquet").write_bytes(b"damaged")
    status, out, _ = command("restore")
    assert status == 0
    assert "2024-01.parquet: expected an archived month" in out
    assert history(database_url) == HALF_YEAR


def test_a_damaged_copy_of_a_month_is_found_by_the_drill_and_refused_by_a_restore(
    command, database, database_url, folder
):
    stored(database_url, HALF_YEAR)
    archived(database_url)
    command("backup")
    copy = next((folder / MONTHS).iterdir())
    content = bytearray(copy.read_bytes())
    content[100] ^= 0xFF
    copy.write_bytes(content)
    for words in (("drill",), ("restore",)):
        if words == ("restore",):
            shutil.rmtree(database.parent / "archive")
        status, _, err = command(*words)
        assert status == 1
        assert copy.name in err
        assert err.count("\n") == 1
    assert len(history(database_url)) == len(HALF_YEAR) - 60 * 24, "nothing was changed"


def test_a_month_that_the_database_names_and_nobody_has_is_said(
    command, database, database_url, folder
):
    stored(database_url, HALF_YEAR)
    archived(database_url)
    (database.parent / MONTHS / "2024-01.parquet").unlink()
    status, _, err = command("backup")
    assert status == 1
    assert "2024-01.parquet: expected this archived month, found none" in err
    assert len(backups_in(folder)) == 1
    status, _, err = command("drill")
    assert status == 1
    assert "expected the archived months binance/BTC-USDT/1h/2024-01.parquet, found none" in err


def test_what_a_killed_archiver_left_is_not_taken_for_a_month(command, database, folder):
    month = archived_month(database.parent, "2024-01", b"whole")
    (month.parent / ".2024-02.parquet.unfinished").write_bytes(b"half")
    month.with_name("2024-03.parquet").symlink_to(month)
    assert command("backup")[0] == 0
    (backup,) = backups_in(folder)
    assert backup.manifest is not None
    assert [file.path for file in backup.manifest.archive] == [
        "binance/BTC-USDT/1h/2024-01.parquet"
    ]


def test_a_backup_made_while_months_move_has_every_candle(
    command, database, database_url, monkeypatch
):
    """The database is copied first: what leaves it afterwards is in the archive by then, and in the copy as well."""
    stored(database_url, HALF_YEAR)
    store = archives.store

    def store_what_moved_meanwhile(source, folder):
        archived(database_url)
        return store(source, folder)

    monkeypatch.setattr(archives, "store", store_what_moved_meanwhile)
    assert command("backup")[0] == 0
    shutil.rmtree(database.parent)
    assert command("restore")[0] == 0
    assert history(database_url) == HALF_YEAR
    assert read_file(database.parent / MONTHS / "2024-01.parquet")
