"""The README's promises: the demo trades, and what is to be typed into the sqlite3 shell works."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

import schema
from common.database import connect
from scripts.demo import Interrupt
from tests.e2e import books

ROOT = Path(__file__).parents[2]
SHELL_LINE = re.compile(r'^sqlite3 -readonly (?:-box )?\S+ "(?P<sql>[^"]+)"$', re.MULTILINE)


def statements() -> list[str]:
    return SHELL_LINE.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    ours = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who tests under nohup hands that on
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.demo", "--folder", str(folder), *options],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "160"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    finally:
        signal.signal(signal.SIGHUP, ours)


def test_the_demo_shows_three_traders_trading_and_leaves_their_books(tmp_path):
    running = demo(tmp_path / "demo", "--until-trades", "--seconds", "110")
    output, _ = running.communicate(timeout=150)
    assert running.returncode == 0, output
    for strategy_id in (
        "trader-btc-binance-1h",
        "trader-eth-binance-15m",
        "trader-btc-coinbase-1h",
    ):
        assert strategy_id in output
    database = connect(f"sqlite:///{tmp_path}/demo/trading.db")
    traded = books.rows(database, "SELECT count(DISTINCT strategy_id) AS n FROM trades")
    books.assert_file_is_sound(database)
    database.close()
    assert traded == [{"n": 3}]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "closed terminal"]
)
def test_ctrl_c_or_a_closed_terminal_ends_the_demo_and_all_its_processes(tmp_path, number):
    running = demo(tmp_path / "demo")
    assert running.stdout is not None
    while not (tmp_path / "demo/trader-btc-coinbase-1h.log").exists():
        assert running.poll() is None, running.stdout.read()
    running.send_signal(number)
    output, _ = running.communicate(timeout=30)
    assert running.returncode == 0, output
    assert "Stopped. The books are in" in output
    children = subprocess.run(
        ["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert children.stdout == ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_drops_is_known_all_the_same():
    interrupt = Interrupt()

    class Dying:
        def __del__(self) -> None:
            interrupt(signal.SIGHUP, None)

    interrupt.require_none()
    Dying()  # what its destructor raises is dropped
    with pytest.raises(KeyboardInterrupt):
        interrupt.require_none()


def test_the_demo_does_not_remove_a_folder_that_is_not_its_own(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/trading.db").write_text("mine", encoding="utf-8")
    running = demo(tmp_path / "precious")
    output, _ = running.communicate(timeout=30)
    assert running.returncode == 2
    assert "--folder: expected an empty folder or one of an earlier demo" in output
    assert (tmp_path / "precious/trading.db").read_text(encoding="utf-8") == "mine"


def test_the_readme_has_statements_for_the_shell():
    assert len(statements()) >= 5


@pytest.mark.parametrize("sql", statements())
def test_the_readmes_statements_work_as_written(database_url, sql):
    database = schema.open_database(database_url)
    with database.read() as connection:
        connection.execute(sa.text(sql)).all()
    if shell := shutil.which("sqlite3"):
        done = subprocess.run(
            [shell, "-readonly", str(database.path), sql],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    database.close()
