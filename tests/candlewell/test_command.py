"""The command itself: its help, its mistakes, its exit statuses."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from candlewell.__main__ import main
from candlewell.commands import COMMANDS
from common.engine import load_driver
from tests.candlewell.conftest import Command

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def run(database_url, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """The program in this process: its status, and what it prints to stdout and stderr."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def run(*words: str) -> tuple[int, str, str]:
        status = main(words)
        return status, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(run, name):
    status, shown, _ = run(name, "--help")
    assert status == 0
    assert f"candlewell {name}" in shown


def test_the_list_of_commands_names_each(run):
    status, shown, _ = run("--help")
    assert status == 0
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_without_a_command_it_shows_its_help_as_a_mistake(run):
    status, shown, said = run()
    assert (status, shown) == (2, "")
    assert "Usage: candlewell" in said


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("statsu",), "candlewell: No such command 'statsu'; see candlewell --help"),
        (("pnl", "--jsn"), "candlewell: No such option '--jsn'. Did you mean '--json'?; see"),
        (
            ("trades", "--limit", "0"),
            "candlewell: Invalid value for '--limit': 0 is not in the range 1<=x<=1000000",
        ),
        (("trades", "--since", "noon"), "candlewell: --since: expected a time such as 2025-01-31"),
        (("trades", "--since", "1e400"), "candlewell: --since: expected a time such as 2025-01-31"),
        (
            ("signals", "--strategy-id", "x"),
            "candlewell: strategy_id: expected a registered strategy, found 'x'",
        ),
        (
            ("status", "--watch", "--json"),
            "candlewell: --watch, --json: expected one of them, found both",
        ),
        (("halt", "--fleet"), "candlewell: Missing option '--reason'; see candlewell halt --help"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(run, words, line):
    status, shown, said = run(*words)
    assert (status, shown) == (2, "")
    assert said.startswith(line)
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("status",), ("pnl",), ("events",), ("coverage",), ("audit", "x")]
)
def test_a_database_that_is_not_there_is_a_mistake_and_is_not_made(tmp_path, words):
    path = tmp_path / "none.db"
    line = Command(f"sqlite:///{path}").mistake(*words)
    assert "DATABASE_URL" in line
    assert not path.exists()


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "broken.db"
    path.write_bytes(b"no database" * 1000)
    done = Command(f"sqlite:///{path}")("status", status=2)
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_locked_by_somebody_can_be_read(alone, database_url):
    driver = load_driver()
    holder = driver.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert alone.json("status")["attention"] == []
    holder.close()


def test_a_reader_that_has_seen_enough_is_no_error(alone):
    done = subprocess.run(
        [
            "bash",
            "-c",
            'set -o pipefail; "$0" -m candlewell --help | head -1',
            sys.executable,
        ],
        env=alone.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
