"""A database file that fails for good ends the daemon with one line and a status of its own."""

from __future__ import annotations

import resource
import subprocess

import psutil

import schema
from tests.backfiller.surroundings import Daemons, rows, stored, until

MARKET = ("binance", "BTC/USDT", "1m")
CONFIG = "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1m, history: %s}]"
IO_ERROR = 74


def test_a_write_that_the_disk_refuses_ends_the_daemon_and_the_next_one_goes_on(
    practice, daemons, database
):
    daemon = daemons.start(practice, CONFIG % "20d")
    until(lambda: stored(database, *MARKET), "candles")
    # From here on each write beyond the file's size fails, as on a disk that is dying.
    psutil.Process(daemon.pid).rlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    _, said = daemon.communicate(timeout=20)

    assert daemon.returncode == IO_ERROR, said
    line = next(line for line in said.splitlines() if line.startswith("backfiller: "))
    assert line.endswith("disk I/O error: the disk failed: look at the system's log")
    assert "Traceback" not in said
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    status, said = daemons.run(practice, CONFIG % "1d", "--once")
    assert status == 0, said


def test_a_file_that_is_damaged_under_a_running_daemon_is_named(practice, daemons, database):
    daemon = daemons.start(practice, CONFIG % "1h")
    until(lambda: rows(database, "SELECT 1 FROM heartbeats WHERE state = 'ok'"), "it to be well")
    path = database.path
    database.close()
    for file in (path, path.with_name(f"{path.name}-wal")):
        with file.open("r+b") as damaged:
            damaged.write(b"\xff" * file.stat().st_size)

    _, said = daemon.communicate(timeout=30)

    assert daemon.returncode == IO_ERROR, said
    assert f"backfiller: {path}: " in said
    assert "the file is damaged: restore a backup" in said
    assert "Traceback" not in said


def test_a_disk_that_is_read_only_is_refused_at_the_start(practice, small_disk, tmp_path):
    schema.open_database(small_disk.database_url).close()
    remount = ["mount", "-o", "remount,ro", str(small_disk.folder)]
    subprocess.run(remount, check=True, capture_output=True)
    status, said = Daemons(tmp_path, small_disk.database_url).run(practice, CONFIG % "1h")
    assert status == 2
    assert said.startswith("backfiller: DATABASE_URL: expected what user id")
