from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.practice.running import Practice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


BALANCES = ("USD=1000000", "USDT=1000000", "BTC=2")
_ACCOUNTS = 150


@pytest.fixture(scope="session")
def _practice() -> Iterator[Practice]:
    keys = ["practice-key", *(f"account-{number}" for number in range(_ACCOUNTS))]
    words = [word for key in keys for word in ("--key", f"{key}:practice-secret")]
    balances = [word for one in BALANCES for word in ("--balance", one)]
    exchange = Practice(*words, *balances)
    yield exchange
    exchange.stop()


@pytest.fixture(scope="session")
def _keys() -> Iterator[str]:
    return (f"account-{number}" for number in range(_ACCOUNTS))


@pytest.fixture
def key(_keys: Iterator[str]) -> str:
    """The key of an account of the test's own, with 1,000,000 USD, 1,000,000 USDT and 2 BTC at each exchange."""
    return next(_keys)


@pytest.fixture
def practice(_practice: Practice) -> Practice:
    """An exchange that shows the real time and is shared by many tests; no fault waits, in fair weather."""
    _practice.ask("faults", "DELETE")
    _practice.ask("weather", "DELETE")
    return _practice


@pytest.fixture
def started() -> Iterator[Callable[..., Practice]]:
    """Starts exchanges of the test's own, which are stopped at its end."""
    running: list[Practice] = []

    def start(*arguments: str) -> Practice:
        running.append(Practice(*arguments))
        return running[-1]

    yield start
    for exchange in running:
        exchange.stop()
