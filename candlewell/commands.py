"""The list of commands. Each is loaded only when it is asked for: `candlewell halt` does not wait for pandas."""

from __future__ import annotations

import importlib
from typing import Any

import click

_OF_A_DAEMON = "candlewell.of_the_daemons"
_BACKUP = "candlewell.backup_commands"

COMMANDS = {
    "status": (
        "candlewell.status_command",
        "Daemons, exchanges, partitions and strategies at a glance.",
    ),
    "pnl": ("candlewell.books_commands", "Profit and loss of each strategy, fees inside."),
    "trades": ("candlewell.books_commands", "What was executed, newest first."),
    "signals": (
        "candlewell.books_commands",
        "What each strategy said, and what came of it, newest first.",
    ),
    "events": (
        "candlewell.events_command",
        "What happened that somebody may ask about, newest first.",
    ),
    "halt": ("candlewell.control_commands", "Let a strategy, or the fleet, place no more orders."),
    "resume": ("candlewell.control_commands", "Let a strategy, or the fleet, trade again."),
    "write-off": (
        "candlewell.write_off_command",
        "Close a position in the books, whose coins are gone.",
    ),
    "doctor": (
        "candlewell.doctor.command",
        "Look for what is wrong with this set-up, and what to do about it.",
    ),
    "coverage": (_OF_A_DAEMON, "What is there of each partition, what is missing and why."),
    "gaps": (_OF_A_DAEMON, "Every hole in a partition, and its state."),
    "import": (_OF_A_DAEMON, "Bring candles in from files."),
    "export": (_OF_A_DAEMON, "Write candles to a file."),
    "archive": (_OF_A_DAEMON, "Move old months to Parquet files now."),
    "backup": (_BACKUP, "Make a checked copy of everything, while it runs."),
    "restore": (_BACKUP, "Put a backup in the database's place."),
    "drill": (_BACKUP, "Try the newest backup: can it be restored?"),
    "backtest": (_OF_A_DAEMON, "Run a strategy over stored candles."),
    "audit": (_OF_A_DAEMON, "Compare what a strategy wrote with a replay."),
    "check-strategy": (_OF_A_DAEMON, "Show that a strategy cannot look ahead."),
}
"""Where each command is, and its line in the list of them."""


class _Commands(click.Group):
    """Finds a command by its name in the module that has it."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """See click."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """See click."""
        if name not in COMMANDS:
            return None
        module: Any = importlib.import_module(COMMANDS[name][0])
        command: click.Command = module.COMMANDS[name]
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="The database is the one that DATABASE_URL names (default sqlite:///data/trading.db). Exit status: 0 all is "
    "well, 1 something was found that is not, 2 a mistake of yours, 74 the database file has failed, 75 it was busy.",
)
def candlewell() -> None:
    """See, steer and check a fleet of traders on one well of candles."""
