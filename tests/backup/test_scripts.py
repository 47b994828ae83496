"""`scripts/backup.sh` and `scripts/restore.sh`: they find the data, the backups and Python, as docker-compose does."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time

import pytest

from candlewell.backup.catalogue import backups_in
from tests.backup.conftest import ROOT, environment, kinds, names, sources, write

DEADLINE_S = 60.0


def test_they_back_up_and_restore_the_database_of_data_dir(
    database, database_url, folder, tmp_path
):
    write(database_url, {})
    settings = environment(DATA_DIR=str(database.parent))
    subprocess.run([ROOT / "scripts/backup.sh", "--quiet"], env=settings, check=True, cwd=tmp_path)
    assert len(backups_in(folder, "trading")) == 1
    shutil.rmtree(database.parent)
    subprocess.run([ROOT / "scripts/restore.sh"], env=settings, check=True, cwd=tmp_path)
    assert sources(database_url) == {"left": [1]}
    drill = [str(ROOT / "scripts/restore.sh"), "--drill"]
    subprocess.run(drill, env=settings, check=True, cwd=tmp_path)
    assert kinds(database_url) == ["database_restored", "restore_drill"]


@pytest.mark.parametrize(
    "lines",
    [
        ["DATA_DIR={data}"],
        ['DATA_DIR="{data}/"'],
        ["DATA_DIR='{data}'\r", "BACKUP_DIR={backups}\r"],
        ["BACKUP_DIR={backups}", "DATA_DIR={data}"],
    ],
)
def test_they_read_the_env_file_as_docker_compose_does(database, folder, tmp_path, lines):
    suite = tmp_path / "suite"
    suite.mkdir()
    code = ("scripts", "common", "candlewell", "trader", "migrations", "schema.py", ".venv")
    for name in code:
        (suite / name).symlink_to(ROOT / name)
    elsewhere = tmp_path / "elsewhere"
    said = [line.format(data=database.parent, backups=elsewhere) for line in lines]
    (suite / ".env").write_text("\n".join(["#DATA_DIR=./other", *said, "LOG_LEVEL=info\n"]))
    subprocess.run([suite / "scripts/backup.sh", "--quiet"], env=environment(), check=True)
    expected = elsewhere if any("BACKUP_DIR" in line for line in lines) else folder
    assert len(backups_in(expected)) == 1
    left = names(suite)
    assert left == sorted([*code, ".env"])


def test_a_failure_is_told_by_status_and_on_stderr(tmp_path):
    done = subprocess.run(
        [ROOT / "scripts/backup.sh", "--quiet"],
        env=environment(DATA_DIR=str(tmp_path / "nothing")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_the_daily_one_makes_a_backup_at_its_start_tries_it_and_is_healthy(
    database, database_url, folder, tmp_path
):
    heartbeat = tmp_path / "heartbeat"
    process = subprocess.Popen(
        [sys.executable, "-m", "candlewell", "backup", "--daily", "03:00"],
        cwd=ROOT,
        env=environment(DATABASE_URL=database_url, HEARTBEAT_FILE=str(heartbeat)),
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + DEADLINE_S
    while not heartbeat.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert process.poll() is None, "it goes on for the next day"
    assert kinds(database_url) == ["backup_made", "restore_drill"]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE_S)
    assert len(backups_in(folder)) == 1


def test_a_daily_one_that_fails_says_so_and_is_not_healthy(database, database_url, tmp_path):
    heartbeat = tmp_path / "heartbeat"
    database.write_bytes(b"no database any more " * 1000)
    process = subprocess.Popen(
        [sys.executable, "-m", "candlewell", "backup", "--daily", "03:00"],
        cwd=ROOT,
        env=environment(DATABASE_URL=database_url, HEARTBEAT_FILE=str(heartbeat)),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert "backup_failed" in said
    assert process.poll() is None, "it tries again the next day"
    process.kill()
    process.communicate()
    assert not heartbeat.exists()
