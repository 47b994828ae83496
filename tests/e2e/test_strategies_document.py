"""docs/STRATEGIES.md: its example is written, checked, backtested and traded by the commands that it tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import schema
from tests.trader.market import TestMarket
from tests.trader.running import ROOT, environment, eventually, rows

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = (ROOT / "docs/STRATEGIES.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```(?:python|yaml)\n(# (config/\S+)\n.*?)^```", re.DOTALL | re.MULTILINE)
COMMANDS = re.compile(
    r"^## (?P<part>\w[\w-]*)\n|^```bash\n(?P<lines>.*?)^```", re.DOTALL | re.MULTILINE
)
WAVES = [100 + abs(at % 40 - 20) for at in range(400)]
FLAT, RISE = [100.0] * 60, 102.0


def commands(part: str) -> list[str]:
    """The lines to be typed in one part of the document, but for those that need Docker."""
    found: list[str] = []
    here = ""
    for match in COMMANDS.finditer(DOCUMENT):
        here = match["part"] or here
        if match["lines"] and here == part:
            found += match["lines"].splitlines()
    return [line for line in found if not line.startswith("docker-compose")]


class Checkout:
    """A folder like a checkout after the reader has written the two files, with candles and prices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir()
        shutil.copytree(ROOT / "config", folder / "config")
        (folder / "config/strategies").mkdir(exist_ok=True)
        (folder / ".venv").symlink_to(sys.prefix)
        for text, path in FILE.findall(DOCUMENT):
            (folder / path).write_text(text, encoding="utf-8")
        url = f"sqlite:///{folder}/data/trading.db"
        schema.upgrade(url)
        self.market = TestMarket(url)
        self.market.open()
        self.market.add(*WAVES, *FLAT)

    def start(self, line: str) -> subprocess.Popen[str]:
        """What a shell makes of a line, in that folder."""
        variables = {**environment(""), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        del variables["DATABASE_URL"]  # the reader has the default
        return subprocess.Popen(
            ["bash", "-ec", line],
            cwd=self.folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, line: str) -> tuple[int, str, str]:
        """Its status, and what it printed, when it has ended."""
        started = self.start(line)
        out, err = started.communicate(timeout=60)
        return started.returncode, out, err


@pytest.fixture
def checkout(tmp_path):
    checkout = Checkout(tmp_path)
    yield checkout
    checkout.market.close()


def test_the_document_has_both_files_and_commands_in_each_part():
    assert [path for _, path in FILE.findall(DOCUMENT)] == [
        "config/strategies/cross.py",
        "config/cross.yml",
    ]
    assert [len(commands(part)) > 0 for part in ("Check", "Backtest", "Paper-trade")] == [True] * 3
    assert "\n## Go live\n" in DOCUMENT  # followed by tests/containers/test_live_in_containers.py


def test_the_example_passes_its_check(checkout):
    [line] = commands("Check")
    status, table, complaint = checkout.run(line)
    assert (status, complaint) == (0, "")
    assert "cross:Cross, 21 candles to warm up" in table
    assert table.count(" ok: ") == 5


def test_the_change_that_the_document_warns_of_is_found(checkout):
    file = checkout.folder / "config/strategies/cross.py"
    text = file.read_text()
    file.write_text(
        text.replace(
            '(candles["close"], window=self._fast)',
            '(candles["close"].shift(-1), window=self._fast)',
        )
    )
    [line] = commands("Check")
    status, table, _ = checkout.run(line)
    assert status == 1
    [violated] = [row for row in table.splitlines() if "VIOLATED" in row]
    assert " ".join(violated.split()) in " ".join(DOCUMENT.split())


def test_the_example_is_backtested_as_written(checkout):
    for line in commands("Backtest"):
        status, table, complaint = checkout.run(line)
        assert (status, complaint) == (0, "")
        assert re.search(r"^trades +[1-9]", table, re.MULTILINE)


def test_the_example_trades_on_paper_as_written(checkout):
    once, *rest = commands("Paper-trade")
    assert once.endswith("--once")
    status, _, log = checkout.run(once)
    assert status == 0, log
    checkout.market.add(RISE)
    running = checkout.start(once)
    database = checkout.market.database
    eventually(lambda: rows(database, "SELECT 1 FROM orders"))
    checkout.market.tick(RISE)
    assert running.wait(timeout=30) == 0
    [(reason, indicators)] = rows(
        database, "SELECT reason, indicators FROM signals WHERE signal = 'buy'"
    )
    assert reason == "fast rose above slow"
    assert set(json.loads(str(indicators))) == {"fast", "slow"}
    assert rows(database, "SELECT strategy_id, side FROM trades") == [("cross-btc", "buy")]
    for line in rest:
        if line.startswith("sqlite3") and not shutil.which("sqlite3"):
            continue
        status, table, complaint = checkout.run(line)
        assert (status, complaint) == (0, "")
        assert "cross" in table or "fast" in table
