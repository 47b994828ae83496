"""Answers of an exchange that nobody can make sense of: the backfiller stores nothing of them, and asks again."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backfiller.backoff
import backfiller.worker
import common.exchange_failures
import schema
from common.candle import Ticker
from common.errors import ConfigurationError
from tests.backfiller.surroundings import Practice, once, practice_at, rows, stored
from tests.fuzz.profile import count, examples
from tests.fuzz.tampering import Tampering, spoilt, tampering

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKETS = {"binance": "BTC/USDT", "coinbase": "BTC/USD", "kraken": "BTC/USD"}
_CONFIG = "history: 2h\npartitions:\n  - {{exchange: {0}, symbol: {1}, timeframe: 1m}}\n"


@pytest.fixture(scope="module")
def exchange_itself() -> Iterator[Practice]:
    with practice_at(1.0) as practice:
        yield practice


@pytest.fixture(scope="module")
def between(exchange_itself) -> Iterator[Tampering]:
    with tampering(f"http://127.0.0.1:{exchange_itself.port}") as found:
        yield found


@pytest.fixture
def _in_a_hurry(monkeypatch) -> None:
    """What waits for an exchange in life does not here."""
    monkeypatch.setattr(backfiller.backoff, "_FIRST_S", 0.001)
    monkeypatch.setattr(backfiller.backoff, "_MOST_S", 0.002)
    monkeypatch.setattr(common.exchange_failures, "_LIMIT_S", 0.01)
    monkeypatch.setattr(common.exchange_failures, "_BAN_S", 0.01)
    monkeypatch.setattr(backfiller.worker, "_SPEED_MEASURED_S", (0.02, 0.05, 0.1))


@pytest.mark.parametrize("exchange", MARKETS)
@pytest.mark.usefixtures("_in_a_hurry")
def test_no_answer_of_an_exchange_ends_the_backfiller_or_becomes_a_wrong_row(
    exchange, exchange_itself, between, database_url, tmp_path
):
    database = schema.open_database(database_url)
    symbol = MARKETS[exchange]
    config = _CONFIG.format(exchange, symbol)
    beside = _Beside(exchange_itself, between)
    since = exchange_itself.now() - 3 * 3_600_000

    @examples(15, shrinks=False)
    @given(seed=st.integers(0, 2**32), share=st.sampled_from((0.1, 0.3, 0.7)))
    def spoilt_answers(seed: int, share: float) -> None:
        count(f"market data of {exchange}")
        random = Random(seed)
        between.spoil = lambda _, body: spoilt(random, body) if random.random() < share else body
        try:
            once(beside, database, tmp_path, config)
        except ConfigurationError as error:
            _require_about_what_was_told(str(error))
        truth = {row[0]: row for row in exchange_itself.truth(exchange, symbol, "1m", since)}
        for row in stored(database, exchange, symbol, "1m"):
            assert row == truth.get(row[0])
        for bid, ask, last in rows(database, "SELECT bid, ask, last FROM ticker_data"):
            Ticker(0, bid, ask, last)

    try:
        spoilt_answers()
        between.spoil = None
        assert once(beside, database, tmp_path, config) == []
        assert len(stored(database, exchange, symbol, "1m")) >= 100
    finally:
        between.spoil = None
        database.close()


def _require_about_what_was_told(message: str) -> None:
    """An exchange that tells of no such market, or of another time, cannot be told from a mistake."""
    assert "expected a spot market" in message or "CLOCK_SPEED" in message, message


class _Beside(Practice):
    """The practice exchange, reached through what tampers with it."""

    def __init__(self, practice: Practice, between: Tampering) -> None:
        super().__init__(practice.port, practice.speed, practice.process)
        self._between = between

    @property
    def environment(self) -> dict[str, str]:
        return {**self._between.environment, "CLOCK_SPEED": str(self.speed)}
