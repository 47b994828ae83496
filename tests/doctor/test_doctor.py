"""The doctor finds each thing that is wrong by a condition that is really so, and nothing where all is well."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from candlewell.__main__ import main
from candlewell.backup.noting import SOURCE
from candlewell.doctor.checks import CHECKS
from common.candle import Candle
from common.clock import MarketClock, wall_now
from common.controls import FLEET, Control, Controls, ControlState
from common.database import connect
from common.events import EventLog
from common.exchange_status import Exchanges
from common.market_data import MarketData
from tests.doctor.conftest import BTC, ROOT

HOUR = 3_600_000
DAY_S = 86_400


def test_where_all_is_well_nothing_is_found_and_each_check_has_looked(patient):
    status, findings = patient.look("--deep")
    assert patient.wrong() == {}
    assert status == 0
    assert list(dict.fromkeys(one["check"] for one in findings)) == [one.name for one in CHECKS]
    assert all("not looked at" not in one["found"] for one in findings)


def test_a_person_gets_a_table_and_a_line_for_what_to_do(patient, capsys):
    patient.beat("a", "stuck", "no signal")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "problem  daemons" in out
    assert "expected a well, found stuck: no signal" in out
    assert "problem: daemons: docker-compose ps; docker-compose logs a" in out
    assert out.splitlines()[-1].startswith("1 problems, 0 warnings, ")


def test_it_writes_nothing(patient):
    def content() -> bytes:
        patient.database.engine.dispose()
        with sqlite3.connect(patient.database.path) as connection:
            return "\n".join(connection.iterdump()).encode()

    before = content()
    patient.look("--deep")
    assert content() == before


# --- place ---


def test_a_file_system_that_breaks_wal_mode_is_a_problem(patient, monkeypatch):
    monkeypatch.setattr("common.filesystem._REFUSED", {"ext4", "overlay", "tmpfs", "xfs", "btrfs"})
    assert (
        "problem: expected the data folder on a local disk, found" in patient.wrong()["file system"]
    )


def test_a_data_folder_in_memory_is_a_warning(patient, tmp_path, monkeypatch):
    folder = tmp_path / "memory"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/trading.db")
        assert "which is empty after a reboot" in patient.wrong()["file system"]
        assert "free" in patient.wrong()["room"]  # 8 MB are too little, too
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to give a file away")
def test_a_file_of_another_user_is_a_problem(patient):
    os.chown(patient.database.path, 12345, -1)
    found = patient.wrong()["owners"]
    assert "found trading.db of user 12345; stop the suite, then: sudo chown -R 0" in found


def test_a_folder_that_everybody_can_write_is_a_problem(patient):
    patient.folder.chmod(0o777)
    assert "may be written by everybody; chmod o-w" in patient.wrong()["owners"]


def test_a_disk_below_the_limits_of_the_backfiller_is_told(patient, tmp_path, monkeypatch):
    config = tmp_path / "backfiller.yml"
    monkeypatch.setenv("BACKFILLER_CONFIG", str(config))
    config.write_text("upkeep: {warn_free: 900TB, stop_free: 1MB}")
    assert patient.wrong()["room"].startswith("warning: ")
    config.write_text("upkeep: {stop_free: 900TB}")
    assert "problem: expected more than 900000.0 GB free" in patient.wrong()["room"]
    config.write_text("upkeep: {stop_fre: 1MB}")
    assert "stop_fre: unknown key; did you mean 'stop_free'?" in patient.wrong()["room"]


def test_a_wal_that_has_grown_is_told(patient):
    patient.database.engine.dispose()
    with Path(f"{patient.database.path}-wal").open("ab") as wal:
        wal.truncate(150_000_000)  # sparse
    assert "warning: expected a WAL of at most 128.0 MB, found 150.0 MB" in patient.wrong()["wal"]


def test_little_memory_is_a_warning(patient, monkeypatch):
    monkeypatch.setattr("candlewell.doctor.place._MEMORY_LOW", 1 << 60)
    assert "warning: expected " in patient.wrong()["memory"]


# --- engines and content ---


def test_an_engine_with_the_wal_reset_bug_is_a_problem(patient, monkeypatch):
    monkeypatch.setattr("common.engine.has_wal_reset_bug", lambda _: True)
    found = patient.wrong()["engine"]
    assert "expected an engine without the WAL-reset bug" in found
    assert "install the pysqlite3 wheel or use the project's image" in found


def test_a_shell_that_may_only_read_is_noted(patient, tmp_path, monkeypatch):
    shell = tmp_path / "bin" / "sqlite3"
    shell.parent.mkdir()
    monkeypatch.setenv("PATH", str(shell.parent), prepend=os.pathsep)
    for version, level in (("3.46.1", "note"), ("3.53.4", "ok")):
        shell.write_text(f"#!/bin/sh\necho '{version} 2024-08-13 and more'\n")
        shell.chmod(0o755)
        _, findings = patient.look()
        (found,) = [one for one in findings if one["check"] == "shell"]
        assert (found["level"], version in found["found"]) == (level, True)


@pytest.mark.parametrize(
    ("version", "words"), [("0001", "which is older"), ("9999", "which is newer")]
)
def test_another_version_is_a_problem_and_the_rest_is_still_looked_at(patient, version, words):
    patient.write("UPDATE alembic_version SET version_num = :version", version=version)
    status, findings = patient.look()
    assert status == 1
    assert words in patient.wrong()["version"]
    assert "integrity" not in patient.wrong()
    skipped = [one["check"] for one in findings if "not looked at" in one["found"]]
    assert "daemons" in skipped


def test_views_of_another_program_are_a_warning(patient):
    patient.write("DROP VIEW coverage")
    assert "warning: expected the views of this program" in patient.wrong()["version"]


def test_a_database_without_tables_and_none_at_all_are_told(patient, tmp_path, monkeypatch):
    connect(f"sqlite:///{tmp_path}/empty.db", create=True).close()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    assert "a file without our tables" in patient.wrong()["version"]
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    assert "expected a database, found no file" in patient.wrong()["version"]
    (tmp_path / "text.db").write_text("notes " * 1000)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/text.db")
    assert "the file is damaged: restore a backup" in patient.wrong()["version"]


def test_a_url_of_another_kind_cannot_be_looked_at(monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@host/db")
    assert main(["doctor"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("candlewell: DATABASE_URL: expected sqlite:///PATH, found")
    assert "hunter2" not in error


def test_a_damaged_page_is_found(patient):
    data = [Candle(number * HOUR, 2.0, 3.0, 1.0, 2.0, 5.0) for number in range(20_000)]
    MarketData(patient.database).store_candles(BTC, data)
    patient.database.engine.dispose()
    path = patient.database.path
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'ohlcv_data'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096 + 8)
        file.write(b"\xff" * 64)
    found = patient.wrong()["integrity"]
    assert found.startswith("problem: expected ")
    assert "restore" in found


def test_a_row_without_the_one_it_belongs_to_is_found_with_deep(patient):
    patient.database.engine.dispose()
    with sqlite3.connect(patient.database.path) as connection:  # without foreign keys
        connection.execute(
            "INSERT INTO equity (strategy_id, timestamp, closed_at, equity, peak, opening) "
            "VALUES ('nobody', 1, 2, '1', '1', '1')"
        )
    assert patient.wrong() == {}
    assert "found rows of equity without theirs" in patient.wrong("--deep")["integrity"]


# --- clock, fleet ---


@pytest.mark.parametrize(("off_s", "level"), [(5, "warning"), (-120, "problem")])
def test_a_clock_that_is_off_is_told(patient, off_s, level):
    clock = MarketClock(wall_now() + off_s * 1000, wall_now())
    Exchanges(patient.database).record_clock("binance", clock)
    found = patient.wrong()["clock"]
    assert found.startswith(f"{level}: expected this machine's clock within 2 s of binance's")
    assert f"{abs(off_s)}.0 s {'behind' if off_s > 0 else 'ahead of'} it" in found


def test_rows_from_the_future_tell_that_the_clock_was_set_back(patient):
    patient.write("UPDATE heartbeats SET beat_at = :at", at=wall_now() + HOUR)
    assert "the clock was set back" in patient.wrong()["clock"]


def test_a_practice_exchange_has_a_clock_of_its_own(patient):
    patient.write("UPDATE exchange_status SET api_url = 'http://x', clock_exchange_time = 5")
    assert patient.wrong() == {}


def test_a_daemon_that_is_silent_stuck_or_was_never_heard_is_a_problem(patient):
    patient.register("never")
    assert "expected a heartbeat of never, found none" in patient.wrong()["daemons"]
    patient.write("DELETE FROM strategy_metadata WHERE strategy_id = 'never'")
    patient.write("UPDATE heartbeats SET beat_at = beat_at - 120000 WHERE daemon = 'a'")
    assert (
        "expected a heartbeat of a within 60 s, found the last one 12" in patient.wrong()["daemons"]
    )
    patient.beat("a", "running")
    for state in ("stuck", "failed", "disk_full"):
        patient.beat("backfiller", state, "for a reason")
        found = patient.wrong()["daemons"]
        assert found.startswith(f"problem: expected backfiller well, found {state}: for a reason")
    for state in ("backing_off", "banned", "late"):
        patient.beat("backfiller", state, "binance until 12:00:00 UTC")
        assert patient.wrong()["daemons"].startswith("warning: ")


def test_traders_without_a_backfiller_are_a_problem_and_a_fleet_at_rest_is_none(patient):
    patient.beat("backfiller", "stopped")
    assert "it has stopped, while traders run" in patient.wrong()["daemons"]
    patient.beat("a", "stopped")
    patient.registry.set_status("a", "stopped")
    assert patient.wrong() == {}


@pytest.mark.parametrize("scope", ["a", FLEET])
def test_a_halt_is_a_warning_with_its_reason(patient, scope):
    Controls(patient.database).set(scope, Control(ControlState.HALTED, "not reconciled: x"))
    assert "found halted: not reconciled: x" in patient.wrong()["halts"]


def test_candles_that_are_missing_without_a_reason_are_a_warning(patient):
    data = [Candle(number * HOUR, 2.0, 3.0, 1.0, 2.0, 5.0) for number in (1, 2, 5, 6)]
    MarketData(patient.database).store_candles(BTC, data)
    found = patient.wrong()["gaps"]
    assert found.startswith("warning: expected all candles of binance BTC/USDT 1h, or why not")
    assert "found 2 missing without a reason" in found


@pytest.mark.parametrize(("days", "level"), [(2, "warning"), (8, "problem")])
def test_an_old_backup_and_none_are_told(patient, days, level):
    old = int((time.time() - days * DAY_S) * 1000)
    patient.write("UPDATE events SET timestamp = :at", at=old)
    assert patient.wrong()["backups"].startswith(f"{level}: expected a backup of the last 26 hours")
    patient.write("DELETE FROM events")
    assert patient.wrong() == {}  # the oldest strategy is of this minute
    patient.write("UPDATE strategy_metadata SET registered_at = :at", at=old)
    found = patient.wrong()["backups"]
    assert found.startswith(f"{level}: expected a backup, found that none was ever made")


def test_a_backup_that_failed_since_is_a_problem(patient):
    EventLog(patient.database, SOURCE).keep("error", "backup_failed", "the disk is full")
    found = patient.wrong()["backups"]
    assert found.startswith(
        "problem: expected backups and drills that go well, found backup failed"
    )


# --- files of the user's ---


def test_a_secret_that_others_can_read_is_a_problem(patient, monkeypatch):
    file = patient.folder / "key"
    file.write_text("the-secret")
    file.chmod(0o644)
    monkeypatch.setenv("KRAKEN_API_KEY_FILE", str(file))
    patient.folder.chmod(0o755)
    found = patient.wrong()["secrets"]
    assert f"found {file} may be read by everybody; chmod 600 {file}" in found
    file.chmod(0o600)
    assert "secrets" not in patient.wrong()
    env = Path(".env")
    env.write_text("BINANCE_API_KEY=abc\n")
    env.chmod(0o644)
    assert "/.env may be read by everybody" in patient.wrong()["secrets"]
    _, findings = patient.look()
    assert "the-secret" not in str(findings)


def test_a_key_of_env_that_nothing_reads_is_told_with_the_one_that_was_meant(patient):
    Path("docker-compose.yml").write_text((ROOT / "docker-compose.yml").read_text())
    env = Path(".env")
    env.write_text((ROOT / ".env.example").read_text().replace("#RSI_PERIOD", "RSI_PERIOD"))
    assert patient.wrong() == {}
    env.write_text("# a comment\nRSI_PERIOD=7\nMY_OWN=1\nSTOP_LOS=0.1\n")
    found = patient.wrong()[".env"]
    assert found.startswith("problem: expected .env with keys that something reads, found STOP_LOS")
    assert "did you mean STOP_LOSS?" in found
    env.write_text("SYMBOL=BTC/USDT\n")
    assert "SYMBOL, which it does not hand on to a container" in patient.wrong()[".env"]


def test_the_doctor_loads_no_exchange_library_where_there_are_no_keys(patient):
    script = (
        "import sys; from candlewell.__main__ import main; status = main(['doctor', '--json'])\n"
        "assert status == 0; assert not {'ccxt', 'pandas'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
