"""docs/FAULTS.md names tests that there are, and quotes what they look for."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.faults.surroundings import ROOT

TESTS = ROOT / "tests"
DOCUMENT = (ROOT / "docs" / "FAULTS.md").read_text(encoding="utf-8")
CELLS = 6
CODE = re.compile(r"`([^`]+)`")


def faults() -> list[list[str]]:
    """The rows of the tables, cell by cell."""
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if len(row) == CELLS and row[0] != "fault"]


@cache
def source(file: str) -> ast.Module:
    return ast.parse((TESTS / file).read_text(encoding="utf-8"))


def names_in(file: str) -> set[str]:
    found = ast.walk(source(file))
    return {
        one.name for one in found if isinstance(one, ast.FunctionDef) and one.name[:5] == "test_"
    }


def texts_in(file: str) -> list[str]:
    """Every text of a test module but its documentation; those that stand side by side are one."""
    tree = source(file)
    holders = [
        one
        for one in ast.walk(tree)
        if isinstance(one, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    told = {ast.get_docstring(holder, clean=False) for holder in holders}
    texts = [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and text not in told]


def named() -> list[tuple[str, str]]:
    pairs = [one.split("::") for row in faults() for one in CODE.findall(row[-1])]
    return [(file, test) for file, test in pairs]


def test_each_fault_names_a_test_that_there_is():
    assert len(faults()) > 10
    for row in faults():
        assert CODE.findall(row[-1]), row[0]
    for file, test in named():
        assert test in names_in(file), f"{file}: expected a test {test}"


@pytest.mark.parametrize("row", faults(), ids=lambda row: row[0])
def test_what_you_see_is_quoted_as_the_tests_look_for_it(row):
    texts = [text for one in CODE.findall(row[-1]) for text in texts_in(one.partition("::")[0])]
    for quoted in CODE.findall(row[2]):
        assert any(quoted in text for text in texts), (
            f"{row[0]}: {quoted!r} is in none of its tests"
        )


def test_each_test_of_a_fault_is_in_the_document():
    files = {file.relative_to(TESTS).as_posix() for file in (TESTS / "faults").glob("test_*.py")}
    for file in files - {"faults/test_document.py"}:
        assert names_in(file) <= {test for there, test in named() if there == file}
