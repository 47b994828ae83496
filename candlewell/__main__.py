"""`candlewell COMMAND`: see, steer and check a fleet. Each command has its own --help."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from candlewell.commands import candlewell
from common.database_failures import DatabaseUnusable
from common.errors import TRY_AGAIN, CandlewellError, ConfigurationError
from common.given import require_words

if TYPE_CHECKING:
    from collections.abc import Sequence

_MISTAKE = 2
_INTERRUPTED = 130  # 128 + SIGINT, as a shell says
_STATUS = {ConfigurationError: _MISTAKE, DatabaseUnusable: DatabaseUnusable.status}


def main(arguments: Sequence[str] | None = None) -> int:
    """The program. Returns its exit status.

    0 all is well, 1 something was found that is not, 2 for what the user has to change, 74 for a database file that
    has failed, 75 for a database that was not to be had now.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        require_words(words)
        status = candlewell.main(
            args=words,
            prog_name="candlewell",
            standalone_mode=False,
        )
    except click.Abort:
        return _INTERRUPTED
    except (click.ClickException, CandlewellError) as error:
        return _complain(error)
    return status if isinstance(status, int) else 0


def _complain(error: click.ClickException | CandlewellError) -> int:
    """Says what is wrong; the exit status for it."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        status, text = _MISTAKE, error.format_message()  # the help
    elif isinstance(error, click.ClickException):
        status, text = _MISTAKE, f"candlewell: {_in_one_line(error)}"
    else:
        status = _STATUS.get(type(error), TRY_AGAIN)
        text = "\n".join(f"candlewell: {line}" for line in str(error).splitlines())
    click.echo(text, err=True)
    return status


def _in_one_line(error: click.ClickException) -> str:
    """What was wrong with the command, and where to look."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "candlewell"
    message = " ".join(error.format_message().split()).removesuffix(".")
    return f"{message}; see {where} --help"


if __name__ == "__main__":
    sys.exit(main())
