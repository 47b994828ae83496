"""Every statement of every document: in the sqlite3 shell as it is written, and through our own engine."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from common.engine import load_driver
from tests.documents.accounts import Kind, kind_of
from tests.documents.blocks import blocks, commands, documents

if TYPE_CHECKING:
    from tests.documents.blocks import Command

WRITTEN = [
    command
    for document in documents()
    for command in commands(document)
    if kind_of(command) is Kind.SHELL
]
# What may answer with nothing, since nothing is the good news. All others are to show something.
MAY_BE_EMPTY = {
    "who has been silent": "WHERE state <> 'stopped' AND beat_utc <",
    "orders that came to nothing": "FROM orders WHERE failure IS NOT NULL",
}


def may_be_empty(text: str) -> bool:
    return any(part in text for part in MAY_BE_EMPTY.values())


def parts_of(command: Command) -> tuple[str, str]:
    """The call of the shell, and the file that its answer goes to, if there is one."""
    found = re.fullmatch(r'(.*")(?: > (\S+))?', command.text, re.DOTALL)
    assert found, f"{command}: expected a statement in double quotes at its end"
    return found[1], found[2] or ""


def place(command: Command) -> str:
    return f"{command.document}:{command.line}"


def statements_of(command: Command) -> list[str]:
    """The SQL of a command line of the shell: what comes after the database's name."""
    words = shlex.split(parts_of(command)[0])
    at = next(number for number, word in enumerate(words) if word.endswith(".db"))
    assert "-readonly" in words[:at], f"{command}: the documents read with -readonly"
    assert words[at] == "data/trading.db"
    assert words[at + 1 :], f"{command}: no statement"
    return words[at + 1 :]


@pytest.mark.parametrize("command", WRITTEN, ids=place)
def test_a_statement_answers_through_our_engine(practised, command):
    connection = load_driver().connect(f"file:{practised.database}?mode=ro", uri=True)
    try:
        for statement in statements_of(command):
            rows = connection.execute(statement).fetchall()
            is_check = statement == "PRAGMA foreign_key_check"
            assert bool(rows) is not is_check or may_be_empty(statement), statement
    finally:
        connection.close()


@pytest.mark.parametrize("command", WRITTEN, ids=place)
def test_a_line_for_the_shell_does_as_it_is_written(practised, tmp_path, command):
    if shutil.which("sqlite3") is None:
        pytest.skip("needs the sqlite3 shell")
    checkout = practised.copy(tmp_path)
    done = checkout.run(command.text)
    assert (done.returncode, done.stderr) == (0, "")
    _, file = parts_of(command)
    printed = (tmp_path / file).read_text(encoding="utf-8") if file else done.stdout
    assert printed.strip() or may_be_empty(command.text)


def test_what_may_be_empty_is_in_a_document():
    for part in MAY_BE_EMPTY.values():
        assert any(part in command.text for command in WRITTEN), part


def test_sql_stands_in_lines_for_the_shell_only():
    """Where it is executed as it is written; a block of bare SQL would need a test of its own here."""
    assert [one for name in documents() for one in blocks(name) if one.language == "sql"] == []
