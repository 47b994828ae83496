"""The command line of the practice exchange, as one typed object."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_PORT = 65_535
_MOST_SPEED = 100_000


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the user asked for; None where nothing was said."""

    host: str
    port: int
    seed: int | None
    start_ms: int | None
    speed: float | None
    state: str | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(message)


def parse_arguments(words: Sequence[str]) -> Arguments:
    """The arguments in those words of a command line.

    Raises:
        ConfigurationError: one of them is not understood.
    """
    parser = _Parser(
        prog="python -m practice", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--port", type=_port, required=True, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed", type=int, help="other seeds give other prices (default 1)")
    parser.add_argument("--start", type=_moment, metavar="ISO", help="market time at the start")
    parser.add_argument("--speed", type=_speed, help="market seconds in a second (default 1)")
    parser.add_argument("--state", metavar="FILE", help="remember clock and accounts in this file")
    found = parser.parse_args(words)
    return Arguments(
        host=found.host,
        port=found.port,
        seed=found.seed,
        start_ms=found.start,
        speed=found.speed,
        state=found.state,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MOST_PORT:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, found {text!r}")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed <= _MOST_SPEED:
        raise argparse.ArgumentTypeError(
            f"expected a number above 0, at most 100000, found {text!r}"
        )
    return speed


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a time such as 2026-01-31T12:00:00Z, found {text!r}"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
