"""Our programs' commands in the documents, as they are written, in the order in which a reader types them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from backfiller.settings import load_settings
from tests.documents.accounts import Kind, kind_of, kind_of_block, listed
from tests.documents.blocks import blocks, commands, documents

if TYPE_CHECKING:
    from tests.documents.blocks import Block, Command

# What tells more by its status than that it worked: 1 is an answer there.
ANSWERS = {"candlewell status": {0, 1}, "candlewell doctor": {0, 1}}


def typed(document: str) -> list[Command]:
    return [command for command in commands(document) if kind_of(command) is Kind.PROGRAM]


def statuses(command: str) -> set[int]:
    return next((those for begins, those in ANSWERS.items() if command.startswith(begins)), {0})


@pytest.mark.parametrize("document", [name for name in documents() if typed(name)])
def test_a_documents_commands_work_as_they_are_written(practised, tmp_path, document):
    checkout = practised.copy(tmp_path)
    for command in typed(document):
        done = checkout.run(command.in_folder(tmp_path))
        assert done.returncode in statuses(command.text), f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr


def configurations() -> list[Block]:
    return [
        block
        for document in documents()
        for block in blocks(document)
        if block.language == "yaml" and listed(block) is None
    ]


@pytest.mark.parametrize("block", configurations(), ids=str)
def test_a_piece_of_configuration_is_one_that_the_backfiller_takes(tmp_path, block):
    file = tmp_path / "backfiller.yml"
    file.write_text(block.text, encoding="utf-8")
    settings = load_settings({"BACKFILLER_CONFIG": str(file)})
    assert settings.model_fields_set == yaml.safe_load(block.text).keys()


def snippets() -> list[Block]:
    return [
        block
        for document in documents()
        for block in blocks(document)
        if block.language == "python" and kind_of_block(block) is Kind.PROGRAM
    ]


@pytest.mark.parametrize("block", snippets(), ids=str)
def test_a_snippet_of_python_runs(block):
    exec(compile(block.text, str(block), "exec"), {})
