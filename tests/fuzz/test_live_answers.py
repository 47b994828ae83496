"""Answers to a live trader that nobody can make sense of: it goes on, and its books hold what the exchange has done."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from shutil import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backfiller.surroundings import rows
from tests.fuzz.profile import count, examples
from tests.fuzz.tampering import Tampering, spoilt, tampering
from tests.practice.running import Practice, credentials_of
from tests.trader_live.stage import BUY, SELL, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACCOUNTS = 200  # one for each example: the same decision has the same client_order_id


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    keys = [f"account-{number}" for number in range(_ACCOUNTS)]
    words = [word for key in keys for word in ("--key", f"{key}:practice-secret")]
    found = Practice(*words, "--balance", "USD=100000", "--balance", "USDT=100000")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def between(practice) -> Iterator[Tampering]:
    with tampering(practice.url) as found:
        yield found


class _Tampered:
    """The practice exchange as the trader reaches it; the test itself asks it directly."""

    def __init__(self, practice: Practice, between: Tampering) -> None:
        self._practice = practice
        self.environment = between.environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._practice, name)


@pytest.mark.parametrize("exchange", ["binance", "coinbase", "kraken"])
def test_no_answer_of_an_exchange_ends_a_live_trader_or_becomes_a_wrong_trade(
    exchange, practice, between, database_url, tmp_path
):
    tampered: Any = _Tampered(practice, between)
    number = 0

    @examples(6, shrinks=False)
    @given(seed=st.integers(0, 2**32), share=st.sampled_from((0.1, 0.3, 0.6)))
    def spoilt_answers(seed: int, share: float) -> None:
        nonlocal number
        count(f"live answers of {exchange}")
        number += 1
        path = tmp_path / f"{exchange}-{number}.db"
        copy(database_url.removeprefix("sqlite:///"), path)
        stage = Stage(
            tampered, exchange, f"sqlite:///{path}", credentials_of(exchange, f"account-{number}")
        )
        random = Random(seed)
        try:
            engine = stage.start()
            for what in (BUY, SELL):
                stage.say(what)
                between.spoil = lambda _, body: (
                    spoilt(random, body) if random.random() < share else body
                )
                for _ in range(15):
                    engine.advance()
                    stage.seconds.passed += 2.0
                between.spoil = None
                for _ in range(400):
                    progress = engine.advance()
                    stage.seconds.passed += 1.0
                    if (
                        not progress.more
                        and not engine.awaits_fill
                        and progress.state in {"running", "halted"}
                    ):
                        break
                else:
                    raise AssertionError(f"not settled: {progress}")
                _require_true_books(stage)
                if progress.state == "halted":
                    count("live traders halted")
                    break
        finally:
            between.spoil = None
            stage.close()
            path.unlink()

    spoilt_answers()


def _require_true_books(stage: Stage) -> None:
    """Each written trade is one of the exchange's, to the last digit; of its id there is nothing to be told."""
    written = rows(
        stage.database,
        "SELECT side, amount, price, fee FROM trades",
    )
    if not written:
        return
    parameters = {"limit": 500}

    async def made(client: Any) -> Any:
        client.number = str
        return await client.fetch_my_trades(stage.symbol, None, None, parameters)

    truth = Counter(
        (one["side"], *map(Decimal, (one["amount"], one["price"], one["fee"]["cost"] or 0)))
        for one in stage.ask(made)
    )
    found = Counter((side, *map(Decimal, numbers)) for side, *numbers in written)
    assert found <= truth, found - truth
