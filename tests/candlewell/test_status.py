"""`candlewell status`: what is there, and what of it wants a person."""

from __future__ import annotations

import contextlib
import os
import pty
import sys

import pytest
import sqlalchemy as sa

import schema
from common.clock import wall_now
from common.controls import Control, Controls, ControlState
from common.exchange_status import Exchanges
from common.heartbeat import Heartbeat
from scripts.demo import TRADERS
from tests.candlewell.conftest import ROOT, wait_until


@pytest.fixture
def own(database_url):
    """The database of `alone`."""
    opened = schema.open_database(database_url)
    yield opened
    opened.close()


def test_a_fleet_that_runs_is_well(candlewell):
    found = candlewell.json("status")
    assert found["attention"] == []
    assert [beat["daemon"] for beat in found["daemons"]] == ["backfiller", *sorted(TRADERS)]
    assert {own["strategy_id"]: own["control"] for own in found["strategies"]} == dict.fromkeys(
        TRADERS, "running"
    )
    wanted = {(own["EXCHANGE"], own["SYMBOL"], own["TIMEFRAME"]) for own in TRADERS.values()}
    stored = {(own["exchange"], own["symbol"], own["timeframe"]) for own in found["partitions"]}
    assert stored == wanted
    assert all(own["candles"] > 100 for own in found["partitions"])


def test_a_person_sees_each_daemon_partition_and_strategy(candlewell):
    shown = candlewell("status").stdout
    assert "all is well" in shown
    for name in ("backfiller", *TRADERS, "binance BTC/USDT 1h", "coinbase BTC/USD 1h"):
        assert name in shown


def test_an_empty_database_is_well_and_says_so(alone):
    assert alone.json("status")["attention"] == []


def test_a_daemon_that_has_gone_silent_is_named(alone, own):
    Heartbeat(own, "backfiller", environment={}).beat("ok", "3 partitions")
    assert alone.json("status")["attention"] == []
    with own.write() as connection:
        connection.execute(sa.update(schema.heartbeats).values(beat_at=wall_now() - 90_000))
    (line,) = alone.json("status", status=1)["attention"]
    assert line.startswith("backfiller: nothing heard for 9")
    assert line.endswith(" s, it was ok")


def test_a_daemon_that_was_stopped_as_it_should_is_not_silent(alone, own):
    Heartbeat(own, "backfiller", environment={}).beat("stopped")
    with own.write() as connection:
        connection.execute(sa.update(schema.heartbeats).values(beat_at=wall_now() - 90_000))
    assert alone.json("status")["attention"] == []


def test_an_exchange_in_trouble_is_named_with_its_error(alone, own):
    Exchanges(own).record_state("kraken", "banned", until=1_740_787_200_000, error="HTTP 418")
    assert alone.json("status", status=1)["attention"] == [
        "kraken: banned until 00:00:00 UTC: HTTP 418"
    ]


def test_strategies_without_a_backfiller_are_told_of(candlewell, database, alone, own):
    with database.read() as connection:
        row = connection.execute(sa.select(schema.strategy_metadata)).mappings().first()
    with own.write() as connection:
        connection.execute(sa.insert(schema.strategy_metadata), dict(row))
    assert alone.json("status", status=1)["attention"] == [
        "backfiller: never started with this database"
    ]


def test_a_limit_that_has_passed_by_the_exchanges_clock_holds_nobody_back(candlewell, database):
    strategy_id = "trader-btc-binance-1h"
    clock = Exchanges(database).clock("binance")
    assert clock is not None
    Controls(database).set(
        strategy_id, Control(ControlState.REDUCE_ONLY, "lost too much", until=clock.now() - 1)
    )
    assert candlewell.json("status")["attention"] == []


def test_a_watched_status_is_drawn_until_ctrl_c(candlewell):
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(candlewell.environment | {"TERM": "xterm"})
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "candlewell", "status", "--watch"])
    drawn = bytearray()

    def two_screens() -> bool:
        drawn.extend(os.read(terminal, 65_536))
        return drawn.count(b"Traders") >= 2

    wait_until("two screens", two_screens)
    os.write(terminal, b"\x03")
    with contextlib.suppress(OSError):  # its end of the terminal is closed
        while more := os.read(terminal, 65_536):
            drawn.extend(more)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"Traceback" not in drawn
