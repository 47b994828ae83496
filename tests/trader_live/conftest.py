from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tests.practice.running import Practice
from tests.trader_live.processes import LiveTrader
from tests.trader_live.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ACCOUNTS = 400


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def _practice() -> Iterator[Practice]:
    keys = [f"account-{number}" for number in range(_ACCOUNTS)]
    words = [word for key in keys for word in ("--key", f"{key}:practice-secret")]
    balances = ("--balance", "USD=100000", "--balance", "USDT=100000")
    exchange = Practice(*words, *balances)
    yield exchange
    exchange.stop()


@pytest.fixture(scope="session")
def _keys() -> Iterator[str]:
    return (f"account-{number}" for number in range(_ACCOUNTS))


def credentials_of(exchange: str, key: str) -> dict[str, str]:
    secret = "practice-secret"
    if exchange == "kraken":
        secret = base64.b64encode(secret.encode()).decode()
    return {"apiKey": key, "secret": secret}


@pytest.fixture
def practice(_practice: Practice) -> Practice:
    """An exchange that shows the real time; no fault waits."""
    _practice.ask("faults", "DELETE")
    return _practice


@pytest.fixture(params=["binance", "coinbase", "kraken"])
def exchange(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def staged(
    practice: Practice, exchange: str, _keys: Iterator[str], database_url: str
) -> Iterator[Callable[..., Stage]]:
    """Makes the stage of an account of the test's own at that exchange, with 100,000 of quote currency."""
    stages: list[Stage] = []

    def make(**options: Any) -> Stage:
        credentials = credentials_of(exchange, next(_keys))
        stages.append(Stage(practice, exchange, database_url, credentials, **options))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(staged: Callable[..., Stage]) -> Stage:
    return staged()


@pytest.fixture
def trader(stage: Stage, tmp_path: Path) -> Iterator[LiveTrader]:
    """A live trader as a process, not started yet."""
    folder = tmp_path / "trader"
    folder.mkdir()
    made = LiveTrader(stage, folder)
    yield made
    made.kill()
