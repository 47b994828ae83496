"""How processes share the database: locks, snapshots, guards, a kill at any moment."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

import common.database
import schema
from common.database import DatabaseLocked, Durability, connect, path_of
from common.engine import has_wal_reset_bug, load_driver
from common.errors import ConfigurationError
from common.filesystem import require_local
from common.watch import Watch

ROOT = Path(__file__).parents[2]

_WRITER = """
import sys, sqlalchemy as sa, schema
database = schema.open_database(sys.argv[1])
for number in range(int(sys.argv[2])):
    with database.write() as connection:
        connection.execute(sa.insert(schema.events), dict(timestamp=number, source=sys.argv[3], level="info",
                           kind="x", message="", detail="{}"))
    print(number, flush=True)
"""


def start_writer(url: str, rows: int, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, url, str(rows), name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def written(url: str) -> dict[str, list[int]]:
    database = schema.open_database(url)
    rows: dict[str, list[int]] = {}
    with database.read() as connection:
        for source, timestamp in connection.execute(
            sa.select(schema.events.c.source, schema.events.c.timestamp).order_by(
                schema.events.c.event_id
            )
        ):
            rows.setdefault(source, []).append(timestamp)
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    database.close()
    return rows


def test_a_connection_is_in_wal_mode_with_foreign_keys_and_the_chosen_durability(database_url):
    for durability, level in ((Durability.POWER_CUT, 2), (Durability.PROCESS_CRASH, 1)):
        database = schema.open_database(database_url, durability=durability)
        with database.read() as connection:
            pragma = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "foreign_keys", "synchronous", "mmap_size")
            }
        assert pragma == {
            "journal_mode": "wal",
            "foreign_keys": 1,
            "synchronous": level,
            "mmap_size": 0,
        }
        database.close()


def test_many_processes_write_at_once_and_none_is_turned_away(database_url):
    writers = [start_writer(database_url, 100, f"w{number}") for number in range(6)]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert written(database_url) == {f"w{number}": list(range(100)) for number in range(6)}


def test_a_killed_writer_loses_no_row_that_it_was_told_is_stored(database_url):
    acknowledged: dict[str, int] = {}
    for number in range(5):
        writer = start_writer(database_url, 100_000, f"w{number}")
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged[f"w{number}"] = int(line)
            if int(line) >= 20 + 7 * number:
                writer.send_signal(signal.SIGKILL)
                break
        for line in writer.stdout:
            acknowledged[f"w{number}"] = int(line)
        writer.wait()
        writer.stdout.close()
    for source, numbers in written(database_url).items():
        assert numbers == list(range(len(numbers)))
        assert numbers[-1] >= acknowledged[source]


def test_a_writer_waits_for_the_lock_and_then_says_who_was_in_the_way(database_url, monkeypatch):
    monkeypatch.setattr(common.database, "_LOCK_DEADLINE_S", 0.2)
    holder, waiter = schema.open_database(database_url), schema.open_database(database_url)
    with (
        holder.write(),
        pytest.raises(DatabaseLocked, match="locked by another process"),
        waiter.write(),
    ):
        pass
    with waiter.write():
        pass
    holder.close()
    waiter.close()


def test_threads_that_write_through_one_object_all_get_through(database_url):
    database = schema.open_database(database_url)

    def write(source: str) -> None:
        for number in range(50):
            with database.write() as connection:
                row = {"timestamp": number, "source": source, "level": "info", "kind": "x"}
                connection.execute(sa.insert(schema.events), row | {"message": "", "detail": "{}"})

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert written(database_url) == {f"t{number}": list(range(50)) for number in range(4)}


def test_a_failed_transaction_leaves_nothing(database_url):
    database = schema.open_database(database_url)
    row = {
        "timestamp": 1,
        "source": "a",
        "level": "info",
        "kind": "x",
        "message": "",
        "detail": "{}",
    }
    with pytest.raises(RuntimeError, match="half way"), database.write() as connection:
        connection.execute(sa.insert(schema.events), row)
        raise RuntimeError("half way")
    database.close()
    assert written(database_url) == {}


def test_the_number_of_commits_differs_when_another_connection_commits_and_only_then(database_url):
    watcher, writer = schema.open_database(database_url), schema.open_database(database_url)
    watch = Watch(watcher)
    commits = watch.commits()
    assert watch.commits() == commits
    with writer.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
    assert watch.commits() != commits
    watch.close()
    watcher.close()
    writer.close()


def test_watching_holds_no_snapshot_that_would_let_the_wal_grow(database_url):
    watcher, writer = schema.open_database(database_url), schema.open_database(database_url)
    watch = Watch(watcher)
    watch.commits()
    with writer.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
    watch.commits()
    driver = load_driver()
    raw = driver.connect(str(writer.path), isolation_level=None)
    busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    raw.close()
    assert busy == 0
    watch.close()
    watcher.close()
    writer.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@host/db",
        "postgresql:/user:hunter2@host/db",
        "postgresql://user:hunter2@host:port/db",
        "sqlite://",
        "sqlite:///:memory:",
        "data/trading.db",
        "mysql://x",
    ],
)
def test_a_url_that_names_no_sqlite_file_is_refused_without_repeating_a_password(url):
    with pytest.raises(
        ConfigurationError, match="DATABASE_URL: expected sqlite:///PATH, found"
    ) as refused:
        path_of(url)
    assert "hunter2" not in str(refused.value)


def test_a_missing_database_is_refused_and_not_made(tmp_path):
    with pytest.raises(ConfigurationError, match="made by `python schema.py`, found no file"):
        connect(f"sqlite:///{tmp_path}/missing.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_a_folder_that_cannot_be_written_is_refused_by_name(database_url):
    folder = path_of(database_url).parent
    script = (
        "import os, sys, pysqlite3.dbapi2, schema\n"
        "from common.database import connect\n"
        "from common.errors import ConfigurationError\n"
        "connect(sys.argv[1]).close()\n"  # everything is loaded before this user loses the right to
        "os.setuid(65534)\n"
        "try: connect(sys.argv[1])\n"
        "except ConfigurationError as error: print(error)"
    )
    if os.geteuid() != 0:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
        script = script.replace("connect(sys.argv[1]).close()\nos.setuid(65534)\n", "")
    else:
        for parent in (folder, *folder.parents):
            if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
                parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", script, database_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    folder.chmod(0o755)
    assert "DATABASE_URL: expected what user id" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False),
        ((3, 45, 0), True), ((3, 46, 1), True), ((3, 50, 4), True), ((3, 50, 7), False), ((3, 51, 0), True),
        ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), True), ((3, 53, 0), False), ((4, 0, 0), False),
    ],
)  # fmt: skip
def test_the_engines_with_the_wal_reset_bug_are_known(version, affected):
    assert has_wal_reset_bug(version) is affected


def test_an_affected_engine_is_refused_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 46, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.46.1")
    with pytest.raises(ConfigurationError, match=r"found sqlite3 with SQLite 3\.46\.1"):
        load_driver()


def test_the_engine_in_use_is_a_fixed_one():
    assert not has_wal_reset_bug(load_driver().sqlite_version_info)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "virtiofs", "fuse.sshfs", "fakeowner"])
def test_a_file_system_that_breaks_wal_is_refused(tmp_path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"22 1 0:21 / / rw - ext4 /dev/vda rw\n23 22 0:22 / {tmp_path}/my\\040data rw,x shared:1 - {kind} srv rw\n",
        encoding="utf-8",
    )
    folder = tmp_path / "my data"
    folder.mkdir()
    require_local(tmp_path, mounts)
    with pytest.raises(ConfigurationError, match=f"on {kind}, where SQLite's WAL mode loses data"):
        require_local(folder, mounts)


def test_a_reader_in_the_shell_sees_what_a_daemon_is_writing(database_url):
    database = schema.open_database(database_url)
    row = {
        "timestamp": 1,
        "source": "a",
        "level": "info",
        "kind": "x",
        "message": "",
        "detail": "{}",
    }
    with database.write() as connection:
        connection.execute(sa.insert(schema.events), row)
    raw = load_driver().connect(f"file:{database.path}?mode=ro", uri=True)
    assert raw.execute("SELECT count(*) FROM events").fetchone() == (1,)
    raw.close()
    database.close()


def test_fifty_waiting_writers_do_not_wait_in_step(database_url):
    """Woken together, each commits once: the whole herd is through in well under a second."""
    databases = [schema.open_database(database_url) for _ in range(50)]
    for database in databases:
        with database.read():
            pass  # connections are open before the start, as in a running trader
    start = threading.Barrier(51)
    row = {
        "timestamp": 1,
        "source": "a",
        "level": "info",
        "kind": "x",
        "message": "",
        "detail": "{}",
    }

    def write(database: common.database.Database) -> None:
        start.wait()
        with database.write() as connection:
            connection.execute(sa.insert(schema.events), row)

    threads = [threading.Thread(target=write, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - began
    for database in databases:
        database.close()
    assert took_s < 5
    assert len(written(database_url)["a"]) == 50
