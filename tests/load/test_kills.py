"""Some kills of a small fleet; `python -m benchmarks.kills` is the same at length."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import schema
from tests.accelerated.truth import Verdict
from tests.load.kills import KillPlan, KillRun, Outcome
from tests.load.plan import Fleet
from tests.load.spoiling import spoil
from tests.load.witness import Witness, judge_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from common.database import Database

PLAN = KillPlan(Fleet(3, partitions=4, ticker_days=90), kills=8, seed=1, speed=1200.0)
_ONE = "(SELECT max(timestamp) FROM signals WHERE strategy_id = 'load-0')"
LOST = {
    "a candle": "DELETE FROM ohlcv_data WHERE timestamp = (SELECT max(timestamp) FROM ohlcv_data)",
    "a signal": f"DELETE FROM signals WHERE strategy_id = 'load-0' AND timestamp = {_ONE}",
    "a signal's word": "UPDATE signals SET reason = 'another' WHERE strategy_id = 'load-1'",
    "an equity": f"DELETE FROM equity WHERE strategy_id = 'load-0' AND timestamp = {_ONE}",
    "an order": "DELETE FROM orders WHERE order_id = 1",
    "the end of an order": "UPDATE orders SET status = 'open' WHERE order_id = 1",
    "a trade": "DELETE FROM trades WHERE trade_id = 1",
    "a digit of a trade": "UPDATE trades SET price = price || '1' WHERE trade_id = 1",
    "the end of a position": "UPDATE positions SET realised_profit = '7' WHERE status = 'closed'",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def outcome(folder: Path) -> Outcome:
    return KillRun(PLAN, folder, print).run(settle_within_s=90.0)


@pytest.fixture
def left(outcome: Outcome, folder: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy of what the run has left, to be spoiled."""
    shutil.copy(folder / "trading.db", tmp_path)
    database = schema.open_database(f"sqlite:///{tmp_path / 'trading.db'}")
    yield database
    database.close()


def test_after_kills_of_each_daemon_all_that_was_acknowledged_is_there(outcome):
    assert outcome.verdict.is_good, outcome.verdict
    assert outcome.kills.total() == PLAN.kills
    assert set(outcome.kills) == {"traders", "backfiller", "practice"}
    assert outcome.verdict.counts["acknowledged trades still there"] > 0
    assert outcome.verdict.counts["logged fills booked"] > 0
    assert outcome.verdict.counts["audits clean"] == 3


@pytest.mark.parametrize("statement", LOST.values(), ids=LOST.keys())
def test_a_reader_notices_what_is_lost_or_changed(left, statement):
    witness = Witness(left, PLAN.fleet)
    witness.look()
    untouched = Verdict()
    witness.judge(untouched)
    assert not untouched.wrong
    spoil(left, statement)
    verdict = Verdict()
    witness.judge(verdict)
    assert verdict.wrong


def test_a_logged_signal_or_fill_that_the_books_do_not_have_is_noticed(left):
    signal = {"event": "signal", "candle": 1, "signal": "buy"}
    fill: dict[str, Any] = {"event": "order_filled", "side": "buy", "amount": "1", "price": "2"}
    verdict = Verdict()
    judge_words(verdict, [("load-0", json.dumps(line)) for line in (signal, fill)], left)
    assert set(verdict.wrong) == {"logged signal lost", "logged fill lost or logged twice"}
