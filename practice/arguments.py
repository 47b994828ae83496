"""The command line of the practice exchange, as one typed object."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NoReturn

from common.errors import ConfigurationError
from common.given import require_variables, require_words
from common.partition import check_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRACTICE_KEY, PRACTICE_SECRET = "practice-key", "practice-secret"
_BALANCES = {currency: Decimal(10_000) for currency in ("USD", "USDC", "USDT")}
_REPLAYED = "BTC/USDT"
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
    data: tuple[tuple[str, str], ...]  # symbol and file
    secrets: dict[str, str]  # by API key
    can_withdraw: frozenset[str]  # the keys whose rights include withdrawals
    balances: dict[str, Decimal]  # of each account at each exchange when it is opened
    fee_rate: Decimal


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(message)


def parse_arguments(words: Sequence[str], environment: Mapping[str, str]) -> Arguments:
    """The arguments in those words of a command line, and the key pair in the environment.

    Raises:
        ConfigurationError: one of them is not understood.
    """
    require_words(words)
    require_variables(environment, ["PRACTICE_API_KEY", "PRACTICE_API_SECRET"])
    parser = _Parser(
        prog="python -m practice",
        description="Be an exchange on made-up or recorded prices, for rehearsal, demo and tests.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=_port, required=True, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed", type=int, help="other seeds give other prices (default 1)")
    parser.add_argument("--start", type=_moment, metavar="ISO", help="market time at the start")
    parser.add_argument("--speed", type=_speed, help="market seconds in a second (default 1)")
    parser.add_argument("--state", metavar="FILE", help="remember clock and accounts in this file")
    parser.add_argument("--data", type=_file, nargs="+", action="extend", metavar="[SYMBOL=]CSV")
    parser.add_argument("--key", type=_pair, action="append", metavar="NAME:SECRET")
    parser.add_argument(
        "--withdrawal-key",
        action="append",
        default=[],
        metavar="NAME",
        help="a key whose rights include withdrawals, as no key for trading should have",
    )
    parser.add_argument("--balance", type=_balance, action="append", metavar="CURRENCY=AMOUNT")
    parser.add_argument("--fee-rate", type=_rate, default=Decimal("0.001"))
    found = parser.parse_args(words)
    secrets = dict(found.key or [_key_in(environment)])
    for key in found.withdrawal_key:
        if key not in secrets:
            raise ConfigurationError(
                f"--withdrawal-key: expected one of {', '.join(secrets)}, found {key!r}"
            )
    return Arguments(
        host=found.host,
        port=found.port,
        seed=found.seed,
        start_ms=found.start,
        speed=found.speed,
        state=found.state,
        data=tuple(found.data or ()),
        secrets=secrets,
        can_withdraw=frozenset(found.withdrawal_key),
        balances=dict(found.balance or _BALANCES),
        fee_rate=found.fee_rate,
    )


def _key_in(environment: Mapping[str, str]) -> tuple[str, str]:
    key = environment.get("PRACTICE_API_KEY") or PRACTICE_KEY
    return key, environment.get("PRACTICE_API_SECRET") or PRACTICE_SECRET


def _file(text: str) -> tuple[str, str]:
    symbol, separator, file = text.partition("=")
    if not separator:
        return _REPLAYED, text
    return check_symbol(symbol, key="--data"), file


def _pair(text: str) -> tuple[str, str]:
    key, _, secret = text.partition(":")
    if not key or not secret:
        raise argparse.ArgumentTypeError("expected NAME:SECRET, found another form")
    return key, secret


def _balance(text: str) -> tuple[str, Decimal]:
    currency, _, number = text.partition("=")
    amount = _decimal(number)
    if not currency.isalnum() or not currency.isupper() or amount is None:
        raise argparse.ArgumentTypeError(f"expected an amount such as USDT=10000, found {text!r}")
    return currency, amount


def _rate(text: str) -> Decimal:
    rate = _decimal(text)
    if rate is None or rate >= 1:
        raise argparse.ArgumentTypeError(f"expected a share such as 0.001, found {text!r}")
    return rate


def _decimal(text: str) -> Decimal | None:
    """That number, unless it is none, not finite or below 0."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None


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
