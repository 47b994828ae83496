"""No command, statement or piece of configuration stands in a document that nothing executes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.documents.accounts import ELSEWHERE, NOT_RUN, PRINTED, kind_of, kind_of_block, listed
from tests.documents.blocks import COMMANDS, ROOT, blocks, commands, documents, indented_blocks

if TYPE_CHECKING:
    from tests.documents.accounts import Elsewhere, NotRun
    from tests.documents.blocks import Block, Command

WHAT_TO_DO = (
    "nothing executes it: let one of the tests that tests/documents/accounts.py tells of do so, "
    "or add it to one of its lists"
)


@pytest.mark.parametrize("document", documents())
def test_every_command_of_a_document_is_accounted_for(document):
    assert [f"{one}: {WHAT_TO_DO}" for one in commands(document) if kind_of(one) is None] == []


@pytest.mark.parametrize("document", documents())
def test_every_block_of_a_document_says_its_language_and_is_accounted_for(document):
    others = [one for one in blocks(document) if one.language not in {*COMMANDS, "text"}]
    assert [f"{one}: no language" for one in others if not one.language] == []
    assert [f"{one}: {WHAT_TO_DO}" for one in others if kind_of_block(one) is None] == []


@pytest.mark.parametrize("entry", ELSEWHERE, ids=lambda entry: f"{entry.document}: {entry.begins}")
def test_what_is_executed_elsewhere_is_there_and_its_test_reads_that_document(entry):
    file, _, test = entry.test.partition("::")
    source = (ROOT / file).read_text(encoding="utf-8")
    tests = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert test in tests
    assert entry.document in source
    assert is_used(entry), "no command or block of that document begins so"


@pytest.mark.parametrize("entry", NOT_RUN, ids=lambda entry: f"{entry.document}: {entry.begins}")
def test_what_is_not_executed_is_there_and_has_a_reason(entry):
    assert len(entry.reason.split()) > 4
    assert is_used(entry)


def is_used(entry: Elsewhere | NotRun) -> bool:
    """Whether something in its document is accounted for by that entry."""
    found: list[Command | Block] = [*commands(entry.document), *blocks(entry.document)]
    return any(listed(one) is entry for one in found)


@pytest.mark.parametrize("document", documents())
def test_every_indented_block_begins_with_a_command_or_is_listed_as_what_one_prints(document):
    known = {command.line for command in commands(document)}
    unknown = [
        f"{document}:{number}: {text}"
        for number, text in indented_blocks(document)
        if number not in known and not text.startswith(PRINTED)
    ]
    assert unknown == []
