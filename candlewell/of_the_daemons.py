"""Commands that the daemons have already, under this command's name: their own arguments, their own --help."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_ITS_OWN = {
    "ignore_unknown_options": True,
    "help_option_names": [],
    "allow_interspersed_args": False,
}


def _of_the_backfiller(name: str, words: tuple[str, ...]) -> int:
    from backfiller import commands  # noqa: PLC0415 - each loads only what it needs

    return commands.run([name, *words], os.environ, program="candlewell")


def _of_a_trader(name: str, words: tuple[str, ...]) -> int:
    from trader.__main__ import main  # noqa: PLC0415

    return main([name, *words], os.environ, program="candlewell")


def _passed_on(name: str, run: Callable[[str, tuple[str, ...]], int]) -> click.Command:
    """A command that has all its words read by somebody else."""

    @click.command(name, context_settings=_ITS_OWN, add_help_option=False)
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def command(words: tuple[str, ...]) -> int:
        try:
            return run(name, words)
        except SystemExit as end:  # argparse has said what is wrong, or its help
            return end.code if isinstance(end.code, int) else 0

    return command


COMMANDS = {
    name: _passed_on(name, run)
    for run, names in {
        _of_the_backfiller: ("coverage", "gaps", "import", "export", "archive"),
        _of_a_trader: ("backtest", "audit", "check-strategy"),
    }.items()
    for name in names
}
