"""Runs a trader, sets what one may do, or tells what it would have done.

python -m trader [--once]
python -m trader control running|reduce_only|halted (--strategy-id ID | --fleet) --reason TEXT
python -m trader backtest [--strategy-id ID] [--since TIME] [--until TIME] [--csv FILE] [--json] [--trades FILE]
                         [--html FILE]
python -m trader check-strategy [--strategy-id ID] [--since TIME] [--until TIME] [--csv FILE]
python -m trader audit STRATEGY_ID [--since TIME] [--until TIME] [--json]
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from common.database_failures import DatabaseUnusable
from common.errors import TRY_AGAIN, ConfigurationError, TransientError
from common.given import require_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATES = ("running", "reduce_only", "halted")


def main(
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    program: str = "python -m trader",
) -> int:
    """The program, under that name. Returns its exit status.

    1 for a strategy that is not what it has to be, or an audit that found what has no known cause; 2 for what the
    user has to change, 74 for a database file that has failed, 75 for a start when the database was not to be had.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        require_words(words)
        given = _parser(program).parse_args(words)
        if given.command == "control":
            print(_controlled(given, environment))  # noqa: T201
            return 0
        if given.command == "backtest":
            return _backtest(given, environment)
        if given.command in {"check-strategy", "audit"}:
            told, holds = _checked(given, environment)
            print(told)  # noqa: T201
            return 0 if holds else 1
        from common import log  # noqa: PLC0415

        log.set_up(environment)  # before libraries may warn
        from trader.composition import trade  # noqa: PLC0415 - pandas and ta

        return trade(environment, once=given.once)
    except ConfigurationError as error:
        for line in str(error).splitlines():
            print(f"trader: {line}", file=sys.stderr)  # noqa: T201
        return 2
    except (DatabaseUnusable, TransientError) as error:
        print(f"trader: {error}", file=sys.stderr)  # noqa: T201
        return error.status if isinstance(error, DatabaseUnusable) else TRY_AGAIN


def _controlled(given: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Sets a switch; a line that says what was done."""
    from common.database import url_from  # noqa: PLC0415 - each command loads only what it needs
    from schema import open_database  # noqa: PLC0415
    from trader.control import set_control  # noqa: PLC0415

    with closing(open_database(url_from(environment))) as database:
        scope = None if given.fleet else given.strategy_id
        return set_control(database, given.state, scope, given.reason)


def _checked(given: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, bool]:
    """What a check found, and whether all is as it has to be."""
    if given.command == "audit":
        from trader.audit.command import audited  # noqa: PLC0415

        return audited(given, environment)
    from trader.strategies.check_command import check_strategy  # noqa: PLC0415

    return check_strategy(given, environment)


def _backtest(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Prints a backtest's result. It is over in a second: looking for garbage would take a tenth of that."""
    gc.disable()
    try:
        from trader.backtest.command import backtest  # noqa: PLC0415

        print(backtest(given, environment))  # noqa: T201
    finally:
        gc.enable()
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Trades one strategy. Configured by CONFIG_FILE (config/trader.yml) and the environment over it.",
    )
    parser.add_argument("--once", action="store_true", help="do what can be done now, and end")
    commands = parser.add_subparsers(
        dest="command", metavar="control | backtest | check-strategy | audit"
    )
    control = commands.add_parser("control", help="set what a trader may do")
    control.add_argument(
        "state", choices=STATES, help="reduce_only: exits, no entries; halted: no orders"
    )
    whose = control.add_mutually_exclusive_group(required=True)
    whose.add_argument("--strategy-id", metavar="ID")
    whose.add_argument("--fleet", action="store_true", help="every strategy of this database")
    control.add_argument("--reason", metavar="TEXT", required=True, help="kept, shown, and logged")
    _add_backtest(commands.add_parser("backtest", help="run a strategy over stored candles"))
    _add_subject(
        commands.add_parser("check-strategy", help="show that a strategy cannot look ahead")
    )
    _add_audit(commands.add_parser("audit", help="compare what a strategy wrote with a replay"))
    return parser


def _add_audit(audit: argparse.ArgumentParser) -> None:
    audit.add_argument("strategy_id", metavar="STRATEGY_ID", help="a registered strategy")
    audit.add_argument(
        "--since", metavar="TIME", help="from the candle that opened then, such as 2025-01-31"
    )
    audit.add_argument("--until", metavar="TIME", help="to the one that opened then, in UTC")
    audit.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_subject(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--strategy-id",
        metavar="ID",
        help="a registered strategy, as it last ran (default: as a trader is configured)",
    )
    command.add_argument(
        "--since",
        metavar="TIME",
        help="decide from the candle that opened then, such as 2025-01-31",
    )
    command.add_argument(
        "--until", metavar="TIME", help="and up to the one that opened then, in UTC"
    )
    command.add_argument(
        "--csv", metavar="FILE", help="candles: timestamp,open,high,low,close,volume"
    )


def _add_backtest(backtest: argparse.ArgumentParser) -> None:
    _add_subject(backtest)
    backtest.add_argument("--json", action="store_true", help="print JSON instead of a table")
    backtest.add_argument("--trades", metavar="FILE", help="write every trade to this CSV file")
    backtest.add_argument("--html", metavar="FILE", help="write a report with charts to this file")
    backtest.add_argument(
        "--slippage",
        metavar="RATIO",
        help="how much worse each price is, such as 0.0005 (default: as configured)",
    )


if __name__ == "__main__":
    sys.exit(main())
