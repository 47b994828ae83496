"""The documents claim figures and name their benchmarks: nothing is left to fill in, and each of them is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "benchmarks/README.md")


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
