from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from tests.trader.market import TestMarket
from tests.trader.running import Trader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """A trader run in this process logs to the stderr of its test, which is closed after it."""
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def market(database_url: str) -> Iterator[TestMarket]:
    """BTC/USDT at Binance, hourly: its rules and its clock are known, and no candle yet."""
    market = TestMarket(database_url)
    market.open()
    yield market
    market.close()


@pytest.fixture
def started(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Trader]]:
    """Starts traders on the test's database; what still runs at the end is killed."""
    running: list[Trader] = []

    def start(*arguments: str, **variables: str) -> Trader:
        log = tmp_path / f"trader-{len(running)}.log"
        running.append(Trader(database_url, log, *arguments, **variables))
        return running[-1]

    yield start
    for trader in running:
        trader.kill()
