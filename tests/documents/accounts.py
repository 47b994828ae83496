"""Who executes which command and which block of the documents. What nobody accounts for fails a test.

A command is executed as it is written, unless one of the two lists below names it. `kind_of` says by which of
these tests:

    SHELL      tests/documents/test_shell.py       the sqlite3 shell, and the SQL through our own engine
    PROGRAM    tests/documents/test_programs.py    our programs, on the database of a practice run
    PRACTICE   tests/documents/test_practice.py    the practice exchange, and what is sent to it
    SYNOPSIS   tests/documents/test_synopses.py    `[--option]`: each option is in the program's help
    CONTAINER  tests/containers/test_documents.py  docker-compose
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.documents.blocks import Block, Command


class Kind(Enum):
    """By which test something is executed; see above."""

    SHELL = auto()
    PROGRAM = auto()
    PRACTICE = auto()
    SYNOPSIS = auto()
    CONTAINER = auto()
    ELSEWHERE = auto()
    NOT_RUN = auto()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Commands or blocks of a document that begin like `begins`, executed by a test of another folder that reads it."""

    document: str
    begins: str
    test: str


@dataclass(frozen=True, slots=True)
class NotRun:
    """Commands of a document that begin like `begins`, executed by nothing, and why."""

    document: str
    begins: str
    reason: str


_STRATEGIES, _WRITTEN = "docs/STRATEGIES.md", "tests/e2e/test_strategies_document.py"
_LIVE = "tests/containers/test_live_in_containers.py"
_ADDED = "tests/containers/test_readme.py::test_a_documents_trader_is_a_trader_like_the_others"

ELSEWHERE = (
    Elsewhere(
        "docs/OPERATIONS.md",
        "",
        "tests/containers/test_operations.py::test_a_stranger_follows_the_document_word_for_word",
    ),
    Elsewhere(
        "README.md",
        "scripts/demo.sh",
        "tests/e2e/test_front_door.py::test_the_demo_shows_three_traders_trading_and_leaves_their_books",
    ),
    Elsewhere("README.md", "  trader-sol-binance-5m:", _ADDED),
    Elsewhere(
        _STRATEGIES,
        "CONFIG_FILE=config/cross.yml .venv/bin/python -m trader check-strategy",
        f"{_WRITTEN}::test_the_example_passes_its_check",
    ),
    *(
        Elsewhere(
            _STRATEGIES,
            f"CONFIG_FILE=config/cross.yml {variable}.venv/bin/python -m trader backtest",
            f"{_WRITTEN}::test_the_example_is_backtested_as_written",
        )
        for variable in ("", "PARAMETER_SLOW=50 ")
    ),
    *(
        Elsewhere(_STRATEGIES, begins, f"{_WRITTEN}::test_the_example_trades_on_paper_as_written")
        for begins in (
            "CONFIG_FILE=config/cross.yml .venv/bin/python -m trader --once",
            "sqlite3 ",
            ".venv/bin/python -m trader check-strategy --strategy-id cross-btc",
            ".venv/bin/python -m trader backtest --strategy-id cross-btc",
            "# config/cross.yml",
            "# config/strategies/cross.py",
        )
    ),
    Elsewhere(_STRATEGIES, "  trader-cross-btc:", _ADDED),
    *(
        Elsewhere(_STRATEGIES, begins, f"{_LIVE}::test_a_live_trader_trades_by_the_documents_lines")
        for begins in (
            "DATA_DIR=./data-rehearsal",
            "  cross-btc-live:",
            "secrets:",
            "# docker-compose.rehearsal.yml",
        )
    ),
)

NOT_RUN = (
    NotRun(
        "README.md",
        "docker-compose up ",
        "it speaks to the real exchanges; the line below it, with the practice exchange, is run",
    ),
    NotRun("README.md", "scripts/test.sh", "it runs the test that would run it"),
    NotRun("docs/CONTRIBUTING.md", "scripts/test.sh", "it runs the test that would run it"),
    NotRun("docs/CONTRIBUTING.md", ".ci/run", "it runs the test that would run it"),
    NotRun("docs/CONTRIBUTING.md", "scripts/lock.sh", "it takes the newest packages of the day"),
    NotRun(
        "docs/SECURITY.md",
        "HYPOTHESIS_PROFILE=long",
        "it makes up new examples for as long as it is let; the short form runs with the tests",
    ),
)

# How indented blocks begin that are no commands, but what is printed or how a file is called.
PRINTED = ("BTCUSDT-1h-2024-01.zip: ", "causal         VIOLATED", "data/archive/")

_VARIABLES = r"(?:[A-Z_]+=\S+ )*"
_KINDS = {
    Kind.SYNOPSIS: r".* \[-",
    Kind.CONTAINER: rf"(?s:.*&& )?{_VARIABLES}docker(?:-compose| )",
    Kind.SHELL: r"sqlite3 ",
    Kind.PRACTICE: r"python -m practice |curl ",
    Kind.PROGRAM: rf"(?s:.*&& )?{_VARIABLES}(?:(?:\.venv/bin/)?(?:python (?:-m|schema\.py)|candlewell )|scripts/|mkdir |printf )",
}
_BLOCKS = {"json": Kind.PRACTICE, "python": Kind.PROGRAM, "yaml": Kind.PROGRAM, "sql": Kind.SHELL}


def listed(what: Command | Block) -> Elsewhere | NotRun | None:
    """The entry of the two lists that accounts for it."""
    entries: tuple[Elsewhere | NotRun, ...] = (*ELSEWHERE, *NOT_RUN)
    for entry in entries:
        if entry.document == what.document and what.text.startswith(entry.begins):
            return entry
    return None


def kind_of(command: Command) -> Kind | None:
    """By which test that command is executed; None: by none, which is a mistake."""
    entry = listed(command)
    if entry is not None:
        return Kind.NOT_RUN if isinstance(entry, NotRun) else Kind.ELSEWHERE
    return next((kind for kind, form in _KINDS.items() if re.match(form, command.text)), None)


def kind_of_block(block: Block) -> Kind | None:
    """The same of a block that is not made of commands."""
    if listed(block) is not None:
        return Kind.ELSEWHERE
    return _BLOCKS.get(block.language)
