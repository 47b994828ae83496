"""A restore killed wherever it touches a file leaves the old database or the restored one, whole; the next completes it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from common.engine import load_driver
from tests.backup.conftest import ROOT, environment, names, sources, write
from tests.backup.test_archives import archived_month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# For each number that it reads it forks a restore, which kills itself before the nth time that Python is about to open,
# make, rename, link or remove a file of the test; then it prints what became of it. Forked, since imports take longest.
_DEADLY = """
import os, signal, sys
from candlewell.__main__ import main
import candlewell.backup_commands, sqlalchemy.dialects.sqlite, structlog
from common.engine import load_driver
load_driver()
below = sys.argv[1]
def restore(left):
    def look(event, arguments):
        nonlocal left
        if event.split(".")[0] in ("open", "os", "shutil") and arguments and below in str(arguments[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(look)
    os._exit(main(["restore"]))
for line in sys.stdin:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        restore(int(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
MOST = 200


@pytest.fixture
def restore(database_url, database, folder) -> Iterator[Callable[[int], int]]:
    """Restores the newest backup in another process, killed at that step; its exit status."""
    process = subprocess.Popen(
        [sys.executable, "-c", _DEADLY, str(database.parent)],
        cwd=ROOT,
        env=environment(DATABASE_URL=database_url, BACKUP_DIR=str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(left: int) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{left}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield run
    process.communicate()


def scene(command, database, database_url):
    """A backup with events 1 and 2 and an archived month; then 3 is written, and left in the WAL as by a kill."""
    month = archived_month(database.parent, "2024-01", b"PAR1 of January")
    write(database_url, {"timestamp": 1}, {"timestamp": 2})
    assert command("backup")[0] == 0
    month.unlink()
    driver = load_driver()
    holder = driver.connect(database)
    holder.execute("SELECT count(*) FROM events").fetchone()
    write(database_url, {"timestamp": 3})
    before = database.parent.with_name("before")
    shutil.copytree(database.parent, before)
    holder.close()
    assert (before / "trading.db-wal").stat().st_size > 0
    return before


def test_a_restore_killed_anywhere_leaves_one_of_the_two_whole(
    command, database, database_url, restore
):
    before = scene(command, database, database_url)
    old, new = {"left": [1, 2, 3]}, {"left": [1, 2]}
    seen, step = [], 0
    while True:
        step += 1
        shutil.rmtree(database.parent)
        shutil.copytree(before, database.parent)
        status = restore(step)
        if status != -signal.SIGKILL:
            break
        assert step < MOST
        found = sources(database_url)
        assert found in (old, new), f"killed at step {step}"
        seen.append(found)
        if step % 5 == 0:
            assert command("restore")[0] == 0
            assert sources(database_url) == new
            leftovers = [name for name in names(database.parent) if name.startswith(".")]
            assert leftovers == [], f"killed at step {step}"
    assert status == 0
    assert sources(database_url) == new
    assert seen[0] == old
    assert seen[-1] == new
    assert sorted(seen, key=lambda found: found == new) == seen, "once it is new, it stays new"
    assert len(seen) > 15
    month = database.parent / "archive/binance/BTC-USDT/1h/2024-01.parquet"
    assert month.read_bytes() == b"PAR1 of January"


def test_a_restore_into_nothing_killed_anywhere_is_completed_by_the_next(
    command, database, database_url, restore
):
    scene(command, database, database_url)
    step = 0
    while True:
        step += 1
        shutil.rmtree(database.parent, ignore_errors=True)
        status = restore(step)
        if status != -signal.SIGKILL:
            break
        assert step < MOST
        if database.exists():
            assert sources(database_url) == {"left": [1, 2]}, f"killed at step {step}"
        if step % 5 == 0:
            assert command("restore")[0] == 0
            assert sources(database_url) == {"left": [1, 2]}
    assert status == 0
    assert step > 15
