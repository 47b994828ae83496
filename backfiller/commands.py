"""The commands beside the daemon: `python -m backfiller import|export|archive|coverage|gaps`.

Each is loaded only when it is asked for: the daemon does not pay for what reads files.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from backfiller.files.telling import complain
from common import log
from common.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMANDS = {
    "import": "backfiller.files.import_command",
    "export": "backfiller.files.export_command",
    "archive": "backfiller.archive.archive_command",
    "coverage": "backfiller.coverage_command",
    "gaps": "backfiller.gaps_command",
}


def run(
    words: Sequence[str],
    environment: Mapping[str, str] = os.environ,
    *,
    program: str = "python -m backfiller",
) -> int:
    """Runs the command that the first word names, for a program of that name; returns its exit status.

    Raises:
        ConfigurationError: the user has to change something.
    """
    name, *rest = words
    command: Any = importlib.import_module(COMMANDS[name])
    parser = argparse.ArgumentParser(
        prog=f"{program} {name}",
        description=command.ABOUT,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    arguments = parser.parse_args(rest)
    log.set_up(environment)
    try:
        status: int = command.run(arguments, environment)
    except (TransientError, sa.exc.OperationalError) as error:  # a lock, or a full disk
        complain(name, getattr(error, "orig", error))
        return 2
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
