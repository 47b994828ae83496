"""A few market days of live traders in about a minute; `python -m benchmarks.live_month` is the same at length."""

from __future__ import annotations

import shutil
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from common.database import connect
from tests.accelerated.truth import Verdict
from tests.accelerated_live.plan import TRADERS, LivePlan
from tests.accelerated_live.record import record_of
from tests.accelerated_live.run import DEPOSIT, LiveRun, Outcome
from tests.accelerated_live.truth import Sides, judge

if TYPE_CHECKING:
    from pathlib import Path

PLAN = LivePlan(days=1.25, seed=4, speed=2400.0, rate=0.04, kills=7)
TAMPERED = {
    "another digit": ("UPDATE trades SET fee = fee || '1' WHERE trade_id = 3", "trades differ"),
    "a trade forgotten": ("DELETE FROM trades WHERE trade_id = 3", "trades differ"),
    "an order forgotten": (
        "UPDATE orders SET client_order_id = 'cw0' WHERE order_id = 3",
        "not in the books",
    ),
    "an order invented": (
        "UPDATE orders SET client_order_id = 'cw0' WHERE order_id = 3",
        "not at the exchange",
    ),
    "a position grown": (
        "UPDATE positions SET dust = '0.5' WHERE position_id = 1",
        "position differs",
    ),
    "a signal lost": (
        "DELETE FROM signals WHERE timestamp = (SELECT max(timestamp) - 900000 FROM signals)",
        "candle without signal",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("days")


@pytest.fixture(scope="module")
def outcome(folder: Path) -> Outcome:
    return LiveRun(PLAN, folder, print).run(settle_within_s=60.0)


def test_after_days_of_faults_and_kills_the_books_are_the_exchanges_record(outcome):
    assert outcome.verdict.is_good, outcome.verdict
    assert len(outcome.suffered) > 5, "expected most kinds of faults to have struck"
    assert outcome.orders_struck.total() > 0
    assert outcome.questions_struck.total() > 0
    assert outcome.kills.total() == PLAN.kills


@pytest.mark.parametrize(("statement", "what"), TAMPERED.values(), ids=TAMPERED.keys())
def test_the_verdict_notices_what_is_not_so(outcome, folder, tmp_path, statement, what):
    shutil.copy(folder / "trading.db", tmp_path)
    database = connect(f"sqlite:///{tmp_path / 'trading.db'}")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(statement)
        connection.commit()
    verdict = Verdict(needs="trades equal")
    for trading in TRADERS:
        record = record_of(folder / "practice.db", trading.exchange, trading.strategy_id)
        judge(verdict, Sides(trading, database, record, DEPOSIT, Decimal(10_000)))
    database.close()
    assert verdict.wrong[what] > 0, verdict
