"""The exchange is down for a day of the market: gone for half of it, then in maintenance, then back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import fleet_in
from tests.faults.surroundings import BACKFILLER, ID, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.surroundings import Fleet

SPEED = 7200.0  # a day in twelve seconds
HALF_A_DAY_S = 43_200 / SPEED
STEP = 900_000
JUDGED = "SELECT (SELECT max(timestamp) FROM signals) = (SELECT max(timestamp) FROM ohlcv_data)"
MISSING = f"SELECT (max(timestamp) - min(timestamp)) / {STEP} + 1 - count(*) FROM ohlcv_data"
MAINTENANCE = {"code": 1, "msg": "System is under maintenance."}


@pytest.fixture
def fleet(tmp_path) -> Iterator[Fleet]:
    with fleet_in(tmp_path, speed=SPEED) as found:
        found.start()
        yield found


def assert_waits(fleet: Fleet, error: str) -> None:
    """Nothing is written for half a day, and everybody says why."""
    until(lambda: fleet.beat(BACKFILLER).startswith("backing_off: binance until "), "its heartbeat")
    until(lambda: error in str(fleet.rows("SELECT last_error FROM exchange_status")), "the error")
    until(lambda: fleet.rows(JUDGED) == [(1,)], "a signal of the last candle")
    orders, since = fleet.count("orders"), time.monotonic()
    until(lambda: time.monotonic() > since + HALF_A_DAY_S, "half a day of the market")
    fleet.suite.require_running()
    assert fleet.count("orders") == orders


def test_a_day_without_the_exchange_is_told_is_fetched_afterwards_and_costs_no_candle(fleet):
    exchange = fleet.suite.daemons["practice"]
    fleet.suite.stop(exchange.name)
    assert_waits(fleet, "ExchangeNotAvailable: binance GET http://127.0.0.1:")

    fleet.start_exchange()
    fault = {"kind": "status", "status": 503, "body": MAINTENANCE, "count": None}
    fleet.suite.rehearsal("faults", method="POST", body=fault)
    assert_waits(fleet, "System is under maintenance.")

    fleet.suite.rehearsal("faults", method="DELETE")
    fleet.has_said(BACKFILLER, "answers_again")
    fleet.goes_on("ohlcv_data", "signals", "trades")
    until(lambda: fleet.beat(BACKFILLER).startswith("ok: "), "a state of ok")
    until(lambda: fleet.rows(MISSING) == [(0,)], "every candle of that day")
    assert "Traceback" not in fleet.said(ID) + fleet.said(BACKFILLER)
    fleet.assert_nothing_is_wrong()
