"""Backups: whole, checked, dated, made while others write; and nothing else in their folder is touched."""

from __future__ import annotations

import errno
import fcntl
import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

import schema
from common.database import path_of
from common.engine import load_driver
from scripts import backup

ROOT = Path(__file__).parents[1]
EVENT = {
    "timestamp": 1,
    "source": "left",
    "level": "info",
    "kind": "x",
    "message": "",
    "detail": "{}",
}

# Pairs of rows in one transaction: a copy that is not of one moment would hold half a pair.
_WRITER = """
import sys, sqlalchemy as sa, schema
database = schema.open_database(sys.argv[1])
number = 0
while True:
    with database.write() as connection:
        for source in ("left", "right"):
            connection.execute(sa.insert(schema.events), dict(timestamp=number, source=source, level="info",
                               kind="x", message="x" * 500, detail="{}"))
    number += 1
    print(number, flush=True)
"""


@pytest.fixture
def database(database_url: str) -> Path:
    return path_of(database_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def writer(database_url):
    """A process that has committed already and goes on until the test ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, database_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(50):
        process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def run(*arguments: object) -> int:
    return backup.main([str(argument) for argument in arguments], environment={})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def events(url: str) -> dict[str, list[int]]:
    opened = schema.open_database(url)
    query = sa.select(schema.events.c.timestamp).order_by(schema.events.c.event_id)
    with opened.read() as connection:
        found = {
            source: list(
                connection.execute(query.where(schema.events.c.source == source)).scalars()
            )
            for source in ("left", "right")
        }
    opened.close()
    return found


def test_backups_under_a_writer_are_each_of_one_moment(database, folder, writer):
    made = [backup.make_backup(database, folder) for _ in range(3)]
    assert writer.poll() is None
    lengths = []
    for one in made:
        found = events(f"sqlite:///{one.file}")
        assert found["left"] == found["right"] == list(range(len(found["left"])))
        assert one.rows["events"] == 2 * len(found["left"])
        lengths.append(len(found["left"]))
    assert lengths[0] >= 50
    assert lengths == sorted(set(lengths)), "each has what was committed since the one before"


def test_a_backup_holds_what_was_committed_before_it_began_and_is_still_in_the_wal(
    database, database_url, folder
):
    opened = schema.open_database(database_url, checkpoint_pages=0)
    with opened.write() as connection:
        connection.execute(sa.insert(schema.events), EVENT)
    assert database.with_name("trading.db-wal").stat().st_size > 0
    made = backup.make_backup(database, folder)
    opened.close()
    assert made.rows["events"] == 1


def test_a_backup_is_restored_by_putting_it_in_the_databases_place(database, database_url, folder):
    assert run("--database", database_url, "--folder", folder, "--gzip") == 0
    (packed,) = folder.iterdir()
    for path in database.parent.glob("trading.db*"):
        path.unlink()
    with gzip.open(packed) as small, database.open("wb") as restored:
        shutil.copyfileobj(small, restored)
    assert events(database_url) == {"left": [], "right": []}


def test_it_prints_where_the_backup_is_and_how_much_it_holds(database_url, folder, capsys):
    assert run("--database", database_url, "--folder", folder) == 0
    out, err = capsys.readouterr()
    (name,) = names(folder)
    assert out.startswith(f"{folder / name}: ")
    assert "alembic_version 1" in out
    assert err == ""
    assert run("--database", database_url, "--folder", folder, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_two_backups_in_one_second_are_two_files(database, folder):
    assert backup.make_backup(database, folder).file != backup.make_backup(database, folder).file
    assert len(names(folder)) == 2


def test_only_the_oldest_backups_of_this_database_are_removed(database_url, folder):
    folder.mkdir()
    old = [f"trading-2026010{day}T030000Z.db" for day in range(1, 5)]
    old[1] += ".gz"
    others = [
        "trading.db",
        "trading-20260101T030000Z.db.old",
        "trading-before-upgrade.db",
        "practice-20260101T030000Z.db",
        "notes.txt",
    ]
    for name in (*old, *others):
        (folder / name).write_text("x")
    (folder / "trading-20250101T030000Z.db").mkdir()
    (folder / "trading-20250102T030000Z.db").symlink_to(folder / "notes.txt")
    assert run("--database", database_url, "--folder", folder, "--keep", 3) == 0
    left = set(names(folder))
    assert set(others) <= left
    assert {"trading-20250101T030000Z.db", "trading-20250102T030000Z.db"} <= left
    assert left.isdisjoint(old[:2])
    assert set(old[2:]) <= left


def test_a_backup_killed_at_any_moment_leaves_no_file_with_a_backups_name(database_url, folder):
    filler = schema.open_database(database_url)
    row = {**EVENT, "message": "x" * 2000}
    with filler.write() as connection:
        connection.execute(sa.insert(schema.events), [row] * 20_000)
    filler.close()
    for delay_s in (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6):
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "scripts.backup",
                "--database",
                database_url,
                "--folder",
                folder,
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        time.sleep(delay_s)  # the moments to kill it at, not a wait for something
        process.send_signal(signal.SIGKILL)
        process.wait()
        if folder.exists():
            for path in folder.glob("trading-*.db"):
                assert len(events(f"sqlite:///{path}")["left"]) == 20_000
                path.unlink()
    assert run("--database", database_url, "--folder", folder) == 0
    assert [name for name in names(folder) if name.endswith((".part", "-journal"))] == []


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), None])
def test_a_failed_backup_leaves_the_folder_as_it_was(
    database_url, folder, monkeypatch, capsys, failure
):
    folder.mkdir()
    (folder / "trading-20260101T030000Z.db").write_text("x")

    def fail(_path: Path) -> None:
        raise failure or load_driver().OperationalError("database or disk is full")

    monkeypatch.setattr(backup, "_flush", fail)
    assert run("--database", database_url, "--folder", folder, "--keep", 1, "--gzip") == 1
    error = capsys.readouterr().err
    assert error.startswith("backup.sh: ")
    assert error.count("\n") == 1
    assert names(folder) == ["trading-20260101T030000Z.db"]


def test_a_copy_that_breaks_its_keys_is_not_kept(database, database_url, folder, capsys):
    driver = load_driver()
    connection = driver.connect(database)
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(
        "INSERT INTO signals (strategy_id, timestamp, signal, price, indicators, reason, decision, created_at)"
        " VALUES ('nobody', 1, 'hold', 1.0, '{}', '', '', 1)"
    )
    connection.commit()
    connection.close()
    assert run("--database", database_url, "--folder", folder) == 1
    error = capsys.readouterr().err
    assert "foreign_key_check" in error
    assert "signals" in error
    assert "strategy_metadata" in error
    assert names(folder) == []


def test_a_damaged_database_makes_no_backup(database, database_url, folder, capsys):
    with database.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 6))
    assert run("--database", database_url, "--folder", folder) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert names(folder) == []


def test_a_database_that_stays_locked_is_given_up_at_the_deadline(database, folder):
    driver = load_driver()
    holder = driver.connect(database, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    with pytest.raises(backup.BackupFailed, match="locked"):
        backup.make_backup(database, folder, deadline_s=0.3)
    assert time.monotonic() - started < 10
    holder.close()
    assert names(folder) == []
    assert backup.make_backup(database, folder).file.exists()


def test_a_second_backup_at_the_same_time_is_refused(database_url, folder, capsys):
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert run("--database", database_url, "--folder", folder) == 1
    os.close(descriptor)
    assert "found one that runs" in capsys.readouterr().err
    assert names(folder) == []


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--database", "sqlite:////nowhere/trading.db"], 2, "/nowhere/trading.db"),
        (["--database", "mysql://user:hunter2@host/x"], 2, "sqlite:///PATH"),
        (["--keep", "0"], 2, "above 0"),
        (["--folder", "/proc/nothing/here"], 1, "/proc/nothing"),
        (["--bogus"], 2, "--bogus"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(database_url, capsys, arguments, status, words):
    assert run("--database", database_url, *arguments) == status
    error = capsys.readouterr().err
    assert words in error
    assert "hunter2" not in error
    assert error.startswith("backup.sh: ")
    assert error.count("\n") == 1


def test_the_script_backs_up_the_database_of_data_dir(database, tmp_path):
    script = ROOT / "scripts" / "backup.sh"
    environment = {**os.environ, "DATA_DIR": str(database.parent)}
    environment.pop("DATABASE_URL", None)
    subprocess.run([script, "--quiet"], env=environment, check=True, cwd=tmp_path)
    (made,) = (database.parent / "backups").iterdir()
    assert events(f"sqlite:///{made}") == {"left": [], "right": []}


@pytest.mark.parametrize("line", ["DATA_DIR={}", 'DATA_DIR="{}"', "DATA_DIR='{}'\r"])
def test_the_script_reads_data_dir_from_the_env_file_as_docker_compose_does(
    database, tmp_path, line
):
    (tmp_path / "suite").mkdir()
    for name in ("scripts", "common", "schema.py", ".venv"):
        (tmp_path / "suite" / name).symlink_to(ROOT / name)
    said = line.format(database.parent)
    (tmp_path / "suite/.env").write_text(f"#DATA_DIR=./other\n{said}\nLOG_LEVEL=info\n")
    left_out = {"DATA_DIR", "DATABASE_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    subprocess.run([tmp_path / "suite/scripts/backup.sh", "--quiet"], env=environment, check=True)
    assert len(list((database.parent / "backups").iterdir())) == 1
