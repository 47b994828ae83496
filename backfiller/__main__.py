"""Fills the shared database with candles and tickers: `python -m backfiller [--once]`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from contextlib import ExitStack

import structlog

from backfiller import commands
from backfiller.daemon import Daemon
from backfiller.progress import watched
from backfiller.settings import load_settings
from backfiller.shared import SOURCE, Shared
from common import log
from common.database import DatabaseLocked, Durability, url_from
from common.database_failures import DatabaseUnusable, first_of
from common.errors import TRY_AGAIN, ConfigurationError, TransientError
from common.given import require_words
from common.instance import Instance
from schema import open_database

_CHECKPOINT_PAGES = 1000  # the backfiller checkpoints for all, see common.database


def main(words: list[str]) -> int:
    """The program. Returns its exit status.

    2 for a mistake of the user, 1 for what could not be had, 74 for a database file that has failed, 75 for a full disk,
    or a database that others kept locked.
    """
    parser = argparse.ArgumentParser(
        prog="python -m backfiller",
        description="Fill the shared database with candles and tickers.",
        epilog=f"Other commands, each with its own --help: {', '.join(commands.COMMANDS)}.",
        allow_abbrev=False,
    )
    parser.add_argument("--once", action="store_true", help="fetch what is missing now, and end")
    try:
        require_words(words)
        if words and words[0] in commands.COMMANDS:
            return commands.run(words)
        arguments = parser.parse_args(words)
        return asyncio.run(_run(once=arguments.once))
    except ConfigurationError as error:
        for line in str(error).splitlines():
            print(f"backfiller: {line}", file=sys.stderr)  # noqa: T201
        return 2
    except (DatabaseUnusable, DatabaseLocked, ExceptionGroup) as error:
        found = first_of(error, DatabaseUnusable) or first_of(error, DatabaseLocked)
        if found is None:
            raise
        print(f"backfiller: {found}", file=sys.stderr)  # noqa: T201
        return found.status if isinstance(found, DatabaseUnusable) else TRY_AGAIN
    except TransientError as error:
        print(f"backfiller: {error}", file=sys.stderr)  # noqa: T201
        return TRY_AGAIN


async def _run(*, once: bool) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with ExitStack() as closing:
        shared = _compose(closing)
        daemon = Daemon(shared)
        if not once:
            await daemon.run(stopped)
            return 0
        problems = await daemon.once(stopped)
        for problem in problems:
            structlog.get_logger().error("not_had", problem=problem)
        return 1 if problems else 0


def _compose(closing: ExitStack) -> Shared:
    """Makes what the daemon stands on, and notes how to close it.

    Raises:
        ConfigurationError: the user has to change something.
    """
    log.set_up()
    settings = load_settings()
    database = open_database(
        url_from(), durability=Durability.PROCESS_CRASH, checkpoint_pages=_CHECKPOINT_PAGES
    )
    closing.callback(database.close)
    closing.callback(Instance(database.path.parent, SOURCE, key=SOURCE).release)
    progress = watched()
    closing.callback(progress.close)
    log.set_up()  # again: what draws bars has taken stderr over
    for noisy in ("apscheduler", "ccxt"):  # what they log is expected here, or raised as well
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    shared = Shared.of(settings, os.environ, database, progress)
    closing.callback(shared.thread.close)
    return shared


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
