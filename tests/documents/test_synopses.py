"""A synopsis, and a command in the middle of a sentence: the program and each of its options are there."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import pytest

from tests.documents.accounts import Kind, kind_of
from tests.documents.blocks import ROOT, commands, documents, text_of
from tests.trader.running import environment

SPAN = re.compile(r"`((?:\.venv/bin/)?(?:python -m|python schema\.py|candlewell|scripts/)[^`]*)`")
OPTION = re.compile(r"--[a-z][a-z-]*")
WORD = re.compile(r"[a-z][a-z_.-]*")
MODULES_WITH_COMMANDS = {"backfiller", "trader", "candlewell"}


def told() -> list[str]:
    """Every synopsis, and what stands between backticks in a document's sentences and tables."""
    found = {
        " ".join(command.text.split())
        for document in documents()
        for command in commands(document)
        if kind_of(command) is Kind.SYNOPSIS
    }
    for document in documents():
        found |= {" ".join(span.split()) for span in SPAN.findall(text_of(document))}
    return sorted(found)


def program_of(command: str) -> tuple[str, ...]:
    """The words that start it, up to the name of its subcommand."""
    words = command.removeprefix(".venv/bin/").split()
    if words[0] == "candlewell":
        words = ["python", "-m", *words]
    if words[1:2] != ["-m"]:
        return tuple(words[: 2 if words[0] == "python" else 1])
    has_command = words[2] in MODULES_WITH_COMMANDS and words[3:] and WORD.fullmatch(words[3])
    return tuple(words[: 4 if has_command else 3])


@cache
def help_of(*program: str) -> str:
    is_ours = program[0] == "python"
    start = [sys.executable, *program[1:]] if is_ours else [str(ROOT / program[0])]
    done = subprocess.run(
        [*start, "--help"],
        cwd=ROOT,
        env=environment(""),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", told())
def test_a_program_that_a_document_names_is_there_with_its_options(command):
    program = program_of(command)
    if program[0].startswith("scripts/"):
        assert (ROOT / program[0]).is_file()
        if not program[0].endswith("backup.sh"):  # the others set up an environment first
            return
    options = set(OPTION.findall(command))
    known = set(OPTION.findall(help_of(*program)))
    assert options <= known, f"{' '.join(program)} --help"
