"""docs/PRACTICE.md: the exchange starts as it is written, and takes what is written to be sent to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.documents.accounts import Kind, kind_of, kind_of_block
from tests.documents.blocks import ROOT, blocks, commands, documents
from tests.practice.running import Practice
from tests.trader.running import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.documents.blocks import Command

DOCUMENTED = "127.0.0.1:8900"
TYPED = [
    command
    for document in documents()
    for command in commands(document)
    if kind_of(command) is Kind.PRACTICE
]
FAULTS = [
    (f"{document}:{block.line + number}", line)
    for document in documents()
    for block in blocks(document)
    if kind_of_block(block) is Kind.PRACTICE
    for number, line in enumerate(block.text.splitlines())
]


def typed(program: str) -> list[Command]:
    return [command for command in TYPED if command.text.startswith(program)]


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    exchange = Practice()
    yield exchange
    exchange.stop()


def test_there_is_something_of_each_kind():
    assert typed("python -m practice")
    assert typed("curl")
    assert len(typed("python -m practice")) + len(typed("curl")) == len(TYPED)
    assert FAULTS


@pytest.mark.parametrize("command", typed("python -m practice"), ids=str)
def test_it_starts_as_it_is_written_and_says_where_it_is(command):
    """On a free port: the documented one may be somebody else's here."""
    words = command.text.replace("--port 8900", "--port 0").split()
    assert words[0] == "python"
    running = subprocess.Popen(
        [sys.executable, *words[1:]],
        cwd=ROOT,
        env=environment("") | {"LOG_FORMAT": "text"},  # as on a terminal
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    with running.stderr:
        greeting = running.stderr.readline()
        running.terminate()
        assert running.wait(timeout=20) == 0
    [told] = [block for block in blocks("docs/PRACTICE.md") if block.text.startswith("practice ex")]
    assert told.text.strip() in re.sub(r":\d+/", ":8900/", greeting)  # after the time and the level


@pytest.mark.parametrize("command", typed("curl"), ids=str)
def test_a_request_is_taken_as_it_is_written(practice, command):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    assert DOCUMENTED in command.text
    address = practice.url.removeprefix("http://")
    line = command.text.replace(DOCUMENTED, address).replace("curl ", "curl --fail --silent ", 1)
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    practice.ask("weather", "DELETE")
    practice.ask("faults", "DELETE")


@pytest.mark.parametrize(("place", "line"), FAULTS, ids=[place for place, _ in FAULTS])
def test_a_fault_is_taken_as_it_is_written(practice, place, line):
    fault = json.loads(line)
    practice.suffer(**fault)
    [waiting] = practice.ask("faults")
    assert {name: waiting[name] for name in fault} == fault, place
    practice.ask("faults", "DELETE")
