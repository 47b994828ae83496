"""The documents claim figures and name their benchmarks: nothing is left to fill in, and each of them is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "benchmarks/README.md")

# Each runs as it is written in benchmarks/README.md, but for less: it works, and says what it measured.
SHORT = {
    "api_calls": "--traders 1 --seconds 5",
    "backtest": "--candles 2000 --rounds 1",
    "backup": "--megabytes 5 --traders 1",
    "files": "--rows 5000 --formats csv",
    "http_load": "--candles 2000 --symbols 1 --rounds 1",
    "insert": "--rows 5000 --rounds 1",
    "ledger": "--traders 1 --seconds 2 --loads paced",
    "step": "--candles 30 --warmup 281",
    "upkeep": "--rows 20000",
    "wake": "--traders 1 --candles 3",
}
LONG = {
    "freshness": "waits for the closes of several minutes",
    "kills": "is run in short by tests/load",
    "live_month": "is run in short by tests/accelerated_live",
    "load": "is run in short by tests/load",
    "long_run": "is run in short by tests/accelerated",
    "memory": "needs the suite in containers, where tests/containers measures it",
    "peers": "installs 2.7 GB; tests/test_benchmark_peers.py looks at what it makes of them",
}


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def programs() -> set[str]:
    """The benchmarks that can be run, not what they share."""
    files = [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("benchmarks/*/__main__.py")]
    return {
        file.parent.name if file.stem == "__main__" else file.stem
        for file in files
        if '__name__ == "__main__"' in file.read_text(encoding="utf-8")
    }


def named_in(document: str) -> set[str]:
    return set(re.findall(r"-m benchmarks\.(\w+)", text_of(document)))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_has_no_figure_left_to_fill_in(document):
    assert "{{" not in text_of(document)


def test_every_benchmark_is_told_of_and_those_that_are_told_of_are_there():
    assert named_in("benchmarks/README.md") == programs()
    assert named_in("README.md") <= programs()


@pytest.mark.parametrize("name", sorted(programs()))
def test_a_benchmark_says_what_it_does(name):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"python -m benchmarks.{name}" in done.stdout


def test_every_benchmark_is_run_in_short_or_says_why_not():
    assert SHORT.keys() | LONG.keys() == programs()
    assert not SHORT.keys() & LONG.keys()


@pytest.mark.parametrize("name", SHORT)
def test_a_benchmark_measures_something(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *SHORT[name].split()],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d", done.stdout)
