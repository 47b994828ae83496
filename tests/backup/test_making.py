"""Backups: whole, checked, dated, made while others write; and nothing else in their folder is touched."""

from __future__ import annotations

import errno
import fcntl
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from candlewell.backup import making
from candlewell.backup.catalogue import backups_in
from candlewell.backup.errors import BackupFailed
from candlewell.backup.making import make_backup
from candlewell.backup.restoring import unpack_checked
from common.engine import load_driver
from tests.backup.conftest import ROOT, environment, kinds, names, sources, write

if TYPE_CHECKING:
    from pathlib import Path


def unpacked(backup, folder: Path) -> str:
    """The URL of what a backup holds."""
    folder.mkdir(exist_ok=True)
    target = folder / f"{backup.path.name}.db"
    unpack_checked(backup, target)
    return f"sqlite:///{target}"


def test_backups_under_a_writer_are_each_of_one_moment(database, folder, writer, tmp_path):
    made = [make_backup(database, folder) for _ in range(3)]
    assert writer.poll() is None
    lengths = []
    for one in made:
        found = sources(unpacked(one.backup, tmp_path / "unpacked"))
        assert found["left"] == found["right"] == list(range(len(found["left"])))
        assert one.manifest.rows["events"] == 2 * len(found["left"])
        lengths.append(len(found["left"]))
    assert lengths[0] >= 50
    assert lengths == sorted(set(lengths)), "each has what was committed since the one before"


def test_a_backup_holds_what_was_committed_before_it_began_and_is_still_in_the_wal(
    database, folder
):
    driver = load_driver()
    holder = driver.connect(database)  # with it open, nobody's close checkpoints
    holder.execute("SELECT count(*) FROM events").fetchone()
    write(f"sqlite:///{database}", {})
    assert database.with_name("trading.db-wal").stat().st_size > 0
    made = make_backup(database, folder)
    holder.close()
    assert made.manifest.rows["events"] == 1


def test_it_is_gzip_that_any_machine_can_unpack(database, folder, tmp_path):
    made = make_backup(database, folder)
    (packed,) = made.backup.path.glob("*.gz")
    plain = tmp_path / "by-hand.db"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    assert plain.stat().st_size == made.manifest.unpacked_bytes
    assert sources(f"sqlite:///{plain}") == {}


def test_it_says_where_the_backup_is_and_how_much_it_holds(command, folder):
    status, out, err = command("backup")
    assert (status, err) == (0, "")
    (name,) = names(folder)
    assert out.startswith(f"{folder / name}: ")
    assert "alembic_version 1" in out
    assert command("backup", "--quiet") == (0, "", "")


def test_a_backup_is_noted_in_the_database(command, database_url):
    command("backup")
    assert kinds(database_url) == ["backup_made"]


def test_a_backup_that_failed_is_noted_too(command, database_url, folder):
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    status, _, err = command("backup")
    os.close(descriptor)
    assert status == 1
    assert "found one that runs" in err
    assert names(folder) == []
    assert kinds(database_url) == ["backup_failed"]


def test_a_backup_that_cannot_be_noted_is_made_and_said_to_be_wrong(
    command, database, folder, monkeypatch
):
    monkeypatch.setattr("common.database._LOCK_DEADLINE_S", 0.2)
    holder = load_driver().connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    status, out, err = command("backup")
    holder.close()
    assert (status, out) == (1, "")
    assert "could not be noted" in err
    assert len(names(folder)) == 1


def test_two_backups_in_one_second_are_two(database, folder):
    paths = {make_backup(database, folder).backup.path for _ in range(2)}
    assert len(paths) == len(names(folder)) == 2


def test_secrets_and_hidden_files_are_in_no_backup(command, folder, tmp_path):
    hidden = ["config/.env", "config/.git/key", ".env", "secrets/key", "data/.hidden"]
    for name in (*hidden, "config/trader.yml", "config/strategies/mine.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("hunter2" if name in hidden else "open")
    (tmp_path / "config/link.yml").symlink_to(tmp_path / "secrets/key")
    assert command("backup")[0] == 0
    kept = {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert not [path for path, content in kept.items() if b"hunter2" in content]
    (backup,) = backups_in(folder)
    assert backup.manifest is not None
    assert [file.path for file in backup.manifest.config] == ["strategies/mine.py", "trader.yml"]


def test_only_backups_of_this_database_that_the_scheme_leaves_out_are_removed(command, folder):
    folder.mkdir()
    old = [f"trading-2026010{day}T030000Z.db" for day in range(1, 5)]
    old[1] += ".gz"
    others = [
        "trading.db",
        "trading-20260101T030000Z.db.old",
        "trading-20261301T030000Z.db",
        "trading-before-upgrade.db",
        "practice-20260101T030000Z.db",
        "notes.txt",
    ]
    for name in (*old, *others):
        (folder / name).write_text("x")
    (folder / "trading-20250101T030000Z.db").mkdir()
    (folder / "trading-20250102T030000Z.db").symlink_to(folder / "notes.txt")
    few = ("--keep", 3, "--keep-daily", 0, "--keep-weekly", 0, "--keep-monthly", 0)
    assert command("backup", *few)[0] == 0
    left = set(names(folder))
    assert set(others) <= left
    assert {"trading-20250101T030000Z.db", "trading-20250102T030000Z.db"} <= left
    assert left.isdisjoint(old[:2])
    assert set(old[2:]) <= left


def test_the_backup_just_made_stays_though_the_clock_was_set_back(command, folder):
    folder.mkdir()
    for year in (2031, 2032, 2033):
        (folder / f"trading-{year}0101T030000Z.db").write_text("x")
    none = ("--keep", 0, "--keep-daily", 0, "--keep-weekly", 0, "--keep-monthly", 0)
    assert command("backup", *none)[0] == 0
    left = names(folder)
    assert "trading-20330101T030000Z.db" in left
    assert len(left) == 2


def test_a_backup_killed_at_any_moment_leaves_nothing_with_a_backups_name(
    database_url, database, folder
):
    write(database_url, *[{"message": "x" * 2000}] * 20_000)
    for delay_s in (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0):
        process = subprocess.Popen(
            [sys.executable, "-m", "candlewell", "backup", "--quiet"],
            cwd=ROOT,
            env=environment(DATABASE_URL=database_url),
            stdout=subprocess.DEVNULL,
        )
        time.sleep(delay_s)  # the moments to kill it at, not a wait for something
        process.send_signal(signal.SIGKILL)
        process.wait()
        for backup in backups_in(folder):
            assert len(sources(unpacked(backup, folder / "x"))["left"]) == 20_000
    make_backup(database, folder)
    assert list(folder.rglob(".*")) == []


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), None])
def test_a_failed_backup_leaves_the_folder_as_it_was(command, folder, monkeypatch, failure):
    folder.mkdir()
    (folder / "trading-20260101T030000Z.db").write_text("x")

    def fail(*_: object) -> None:
        raise failure or BackupFailed("database or disk is full")

    monkeypatch.setattr(making, "flush_tree", fail)
    status, _, err = command("backup", "--keep", 1)
    assert status == 1
    assert err.startswith("candlewell: ")
    assert err.count("\n") == 1
    assert names(folder) == ["trading-20260101T030000Z.db"]


def test_a_copy_that_breaks_its_keys_is_not_kept(command, database, folder):
    connection = load_driver().connect(database)
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(
        "INSERT INTO signals (strategy_id, timestamp, signal, price, indicators, reason, decision, created_at)"
        " VALUES ('nobody', 1, 'hold', 1.0, '{}', '', '', 1)"
    )
    connection.commit()
    connection.close()
    status, _, err = command("backup")
    assert status == 1
    assert "foreign_key_check" in err
    assert "signals" in err
    assert "strategy_metadata" in err
    assert names(folder) == []


def test_a_damaged_database_makes_no_backup(command, database, folder):
    with database.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 6))
    status, _, err = command("backup")
    assert status == 1
    assert err.count("\n") == 1
    assert names(folder) == []


def test_a_database_that_stays_locked_is_given_up_at_the_deadline(database, folder):
    holder = load_driver().connect(database, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(BackupFailed, match="locked"):
        make_backup(database, folder, deadline_s=0.3)
    holder.close()
    assert names(folder) == []
    assert make_backup(database, folder).backup.path.exists()


def test_a_manifest_that_cannot_be_read_is_said_and_removes_no_archived_month(command, folder):
    command("backup")
    (name,) = names(folder)
    (folder / name / "manifest.json").write_text(json.dumps({"format": 2}))
    lonely = folder / "archive/binance/BTC-USDT/1h/2024-01-0123456789abcdef.parquet"
    lonely.parent.mkdir(parents=True)
    lonely.write_text("x")
    status, _, err = command("backup")
    assert status == 1
    assert "expected format 1, found 2" in err
    assert lonely.exists()


@pytest.mark.parametrize(
    ("changed", "words", "said"),
    [
        ({"DATABASE_URL": "sqlite:////nowhere/trading.db"}, (), "/nowhere/trading.db"),
        ({"DATABASE_URL": "mysql://user:hunter2@host/x"}, (), "sqlite:///PATH"),
        ({}, ("--keep", "-1"), "--keep"),
        ({}, ("--folder", "/proc/nothing/here"), "/proc/nothing"),
        ({"BACKUP_DIR": "/proc/nothing/here"}, (), "/proc/nothing"),
        ({}, ("--daily", "25:00"), "expected a time of day such as 03:00, found '25:00'"),
        ({}, ("--bogus",), "--bogus"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(command, monkeypatch, changed, words, said):
    for name, text in changed.items():
        monkeypatch.setenv(name, text)
    found, _, err = command("backup", *words)
    assert found == 2
    assert said in err
    assert "hunter2" not in err
    assert err.startswith("candlewell: ")
    assert err.count("\n") == 1
