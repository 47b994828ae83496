"""A small fleet for some market hours; `python -m benchmarks.load` is the same with 100 traders for a week."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import schema
from common.events import EventLog
from tests.accelerated.truth import Verdict, stored_candles
from tests.load.complaints import judge_events, judge_logs
from tests.load.hosts import Processes, local
from tests.load.plan import Fleet, LoadPlan
from tests.load.run import LoadRun, Outcome
from tests.load.spoiling import spoil
from tests.load.truth import judge_fleet

if TYPE_CHECKING:
    from pathlib import Path

    from common.partition import Partition

PLAN = LoadPlan(Fleet(6, partitions=10), days=0.2, speed=1200.0)
_LAST = "(SELECT max(timestamp) - 300000 FROM signals WHERE strategy_id = 'load-0')"
SPOILED = {
    "a candle without its signal": (
        f"DELETE FROM signals WHERE strategy_id = 'load-0' AND timestamp = {_LAST}",
        "candle without signal",
    ),
    "another candle": (
        "UPDATE ohlcv_data SET volume = volume + 1 WHERE timestamp = (SELECT max(timestamp) FROM ohlcv_data)",
        "different",
    ),
    "a candle less": (
        "DELETE FROM ohlcv_data WHERE timeframe = '1h' AND timestamp ="
        " (SELECT max(timestamp) - 7200000 FROM ohlcv_data WHERE timeframe = '1h')",
        "missing",
    ),
    "a trade less": ("DELETE FROM trades WHERE trade_id = 1", "orders and trades differ"),
    "a trade twice": (
        "INSERT INTO trades SELECT 999, strategy_id, order_id, 'again', symbol, side, amount, price, cost, fee,"
        " fee_currency, realised_profit, timestamp, fee_cost FROM trades WHERE trade_id = 1",
        "orders and trades differ",
    ),
    "another amount": (
        "UPDATE trades SET amount = amount || '1' WHERE trade_id = 1",
        "position is not the sum of trades",
    ),
    "another cost": (
        "UPDATE trades SET cost = '1' WHERE trade_id = 1",
        "cash is not the sum of trades",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("load")


@pytest.fixture(scope="module")
def outcome(folder: Path) -> Outcome:
    with local(PLAN, folder) as suite:
        return LoadRun(PLAN, Processes(PLAN, suite), print).run()


def test_a_fleet_under_load_has_no_error_and_loses_and_doubles_nothing(outcome):
    assert outcome.verdict.is_good, outcome.verdict
    assert outcome.verdict.counts["trades"] > 0


def test_it_tells_delays_commits_and_usage(outcome):
    assert len(outcome.delays) > outcome.rows["signals"] / 2
    # The first may be below: a trader can commit before the backfiller's own call has returned.
    assert outcome.delays[len(outcome.delays) // 2] > 0
    assert len(outcome.commits) >= outcome.rows["trades"]
    assert set(outcome.usage) == {"practice", "backfiller", "traders"}
    assert all(one.processor_s > 0 for one in outcome.usage.values())
    assert len(outcome.usage["traders"].resident_mb) == 6
    assert outcome.bytes_after > outcome.bytes_before > 0


@pytest.mark.parametrize(("statement", "what"), SPOILED.values(), ids=SPOILED.keys())
def test_the_verdict_notices_what_is_not_so(outcome, folder, tmp_path, statement, what):
    shutil.copy(folder / "trading.db", tmp_path)
    with closing(schema.open_database(f"sqlite:///{tmp_path / 'trading.db'}")) as database:
        kept = {one: stored_candles(database, one) for one in PLAN.fleet.kept}

        def truth(partition: Partition, *_: int) -> dict[int, tuple[float, ...]]:
            return kept[partition]

        spoil(database, statement)
        verdict = Verdict()
        judge_fleet(verdict, database, PLAN.fleet, truth)
    assert verdict.wrong[what] > 0, verdict


def test_a_warning_among_the_events_is_an_error(database_url):
    verdict = Verdict()
    with closing(schema.open_database(database_url)) as database:
        EventLog(database, "a").keep("info", "fine", "nothing is wrong")
        EventLog(database, "a").keep("warning", "odd", "something is")
        judge_events(verdict, database)
    assert dict(verdict.wrong) == {"warning among the events": 1}


def test_a_line_of_a_log_that_is_no_line_of_ours_is_an_error():
    lines = ["Traceback (most recent call last):", json.dumps({"level": "error"}), "3"]
    verdict = Verdict()
    judge_logs(verdict, [("a", line) for line in [*lines, json.dumps({"level": "info"})]])
    assert dict(verdict.wrong) == {"no line of ours in a log": 2, "error in a log": 1}
