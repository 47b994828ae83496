"""Runs a trader, or sets what one may do.

python -m trader [--once]
python -m trader control running|reduce_only|halted (--strategy-id ID | --fleet) --reason TEXT
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

import trader.lean  # noqa: F401 - before all others, see there
from common.errors import ConfigurationError
from trader import control

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> int:
    """The program. Returns its exit status: 2 for what the user has to change."""
    parser = argparse.ArgumentParser(prog="python -m trader", description="Trade one strategy.")
    parser.add_argument("--once", action="store_true", help="do what can be done now, and end")
    commands = parser.add_subparsers(dest="command", metavar="control")
    control.add_arguments(commands.add_parser("control", help="set what a trader may do"))
    given = parser.parse_args(arguments)
    try:
        if given.command == "control":
            print(control.set_control(given, environment))  # noqa: T201
            return 0
        from trader.composition import trade  # noqa: PLC0415 - `control` needs neither pandas nor ta

        return trade(environment, once=given.once)
    except ConfigurationError as error:
        for line in str(error).splitlines():
            print(f"trader: {line}", file=sys.stderr)  # noqa: T201
        return 2


if __name__ == "__main__":
    sys.exit(main())
