"""Checks of the API keys of live strategies: who can read them, and what the exchange lets them do."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candlewell.doctor.finding import Seen, note, ok, problem, warning
from common.errors import CandlewellError, ConfigurationError
from common.registry import Registry
from trader.brokers.live.credentials import credentials
from trader.settings import LIVE_EXCHANGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from candlewell.doctor.setup import Setup

_TIMEOUT_S = 10.0
_IN_A_CONTAINER = Path("/run/secrets")
_NAMES = ("API_KEY", "API_SECRET")


def withdrawals(setup: Setup) -> Iterator[Seen]:
    """Whether a key could also withdraw, which no trader needs: each exchange is asked."""
    live = {own.exchange for own in Registry(setup.database).enrolled() if own.mode == "live"}
    given = {exchange for exchange in LIVE_EXCHANGES if _variables(setup, exchange)}
    for exchange in sorted(live - given):
        yield note(
            f"no keys of {exchange} in this environment: not asked",
            "ask where they are: docker-compose run --rm TRADER candlewell doctor",
        )
    for exchange in sorted(given):
        yield _asked(setup, exchange)
    if not live and not given:
        yield ok("no live strategy, and no keys")


def secret_files(setup: Setup) -> Iterator[Seen]:
    """Whether others on this machine can read a secret."""
    named = [
        Path(file)
        for exchange in LIVE_EXCHANGES
        for name in _NAMES
        if (file := setup.environment.get(f"{exchange.upper()}_{name}_FILE"))
    ]
    named += [path for path in sorted((setup.place / "secrets").glob("*")) if path.is_file()]
    if (setup.place / ".env").is_file() and _holds_keys(setup.place / ".env"):
        named.append(setup.place / ".env")
    # In a container there are no others; on the machine the same file has its own place.
    named = [path for path in dict.fromkeys(named) if not path.is_relative_to(_IN_A_CONTAINER)]
    readable = [path for path in named if _others_can_read(path)]
    for path in readable:
        yield problem(
            "a secret that only its owner can read",
            f"{path} may be read by everybody",
            f"chmod 600 {path}, and see that PUID may read it",
        )
    if not readable:
        yield ok(
            f"{len(named)} files with secrets, none for others to read" if named else "no secrets"
        )


def _variables(setup: Setup, exchange: str) -> list[str]:
    names = [f"{exchange.upper()}_{name}{end}" for name in _NAMES for end in ("", "_FILE")]
    return [name for name in names if setup.environment.get(name)]


def _others_can_read(path: Path) -> bool:
    """Whether everybody may read the file, and get to it."""
    try:
        return bool(path.stat().st_mode & 0o004) and bool(path.parent.stat().st_mode & 0o001)
    except OSError:
        return False


def _holds_keys(file: Path) -> bool:
    text = file.read_text(encoding="utf-8", errors="replace")
    names = {line.partition("=")[0].strip() for line in text.splitlines()}
    return any(
        f"{exchange.upper()}_{name}" in names for exchange in LIVE_EXCHANGES for name in _NAMES
    )


def _asked(setup: Setup, exchange: str) -> Seen:
    expected = f"a key of {exchange} that cannot withdraw"
    try:
        keys = credentials(exchange, setup.environment)
    except ConfigurationError as error:
        return problem("keys that can be read", str(error), "see Go live in docs/STRATEGIES.md")
    try:
        can_withdraw = asyncio.run(_ask(setup, exchange, keys))
    except _NotTold as error:
        return warning(expected, f"not told: {error}", f"look at {exchange}'s page of API keys")
    if can_withdraw:
        return problem(
            expected,
            "one that can",
            f"make another one at {exchange} without that right, and delete this one",
        )
    return ok(f"the key of {exchange} cannot withdraw")


async def _ask(setup: Setup, exchange: str, keys: dict[str, str]) -> bool:
    """Whether those keys may withdraw, by the exchange's own words.

    Raises:
        _NotTold: it did not answer, or in other words.
    """
    from common import exchange as ccxt  # noqa: PLC0415 - loads ccxt, where there are keys alone

    client = ccxt.connect(
        exchange, credentials=keys, environment=setup.environment, timeout_s=_TIMEOUT_S
    )
    try:
        async with asyncio.timeout(3 * _TIMEOUT_S):
            if exchange != "kraken":  # which looks at no clock
                await client.load_time_difference()
            call, can_withdraw = _QUESTIONS[exchange]
            return can_withdraw(await getattr(client, call)())
    except (ccxt.errors.BaseError, OSError, TimeoutError, CandlewellError) as error:
        raise _NotTold(f"{type(error).__name__}: {_without(keys, str(error))}") from None
    except (KeyError, TypeError, ValueError) as error:  # a secret that cannot sign, an odd answer
        raise _NotTold(f"{type(error).__name__}") from None
    finally:
        with contextlib.suppress(Exception):  # whatever it is, the answer is known
            await client.close()


def _without(keys: dict[str, str], text: str) -> str:
    for secret in keys.values():
        text = text.replace(secret, "(not shown)")
    return " ".join(text.split())[:160]


def _of_binance(told: Any) -> bool:
    return _flag(told["enableWithdrawals"])


def _of_coinbase(told: Any) -> bool:
    return _flag(told["can_transfer"])


def _of_kraken(told: Any) -> bool:
    rights = told["result"]["permissions"]
    if not isinstance(rights, list) or not rights:
        raise TypeError("permissions")
    return any("withdraw" in str(right).lower() for right in rights)


def _flag(told: Any) -> bool:
    if not isinstance(told, bool):
        raise TypeError("a flag")
    return told


_QUESTIONS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "binance": ("sapiGetAccountApiRestrictions", _of_binance),
    "coinbase": ("v3PrivateGetBrokerageKeyPermissions", _of_coinbase),
    "kraken": ("privatePostGetApiKeyInfo", _of_kraken),
}


class _NotTold(Exception):
    """The exchange was not to be understood."""
