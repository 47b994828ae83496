"""The whole suite as real processes: practice exchange, backfiller and three traders on one database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import schema
from scripts.demo import TRADER_SETTINGS, TRADERS
from scripts.local_suite import LocalSuite
from tests.e2e import books

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.database import Database

_DEADLINE_S = 90.0


@pytest.fixture
def suite(tmp_path):
    with LocalSuite(tmp_path, speed=1800.0, seed=7) as running:
        running.start_exchange()
        running.start_backfiller(TICKER_INTERVAL_S="1")
        for strategy_id, market in TRADERS.items():
            running.start_trader(strategy_id, **market, **TRADER_SETTINGS)
        yield running


@pytest.fixture
def database(suite):
    opened = schema.open_database(suite.database_url)
    yield opened
    opened.close()


def wait_until(suite: LocalSuite, what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        suite.require_running()
        assert time.monotonic() < deadline, f"waited {_DEADLINE_S:.0f} s for {what}"
        time.sleep(0.1)


def count(database: Database, table: str, strategy_id: str) -> int:
    found = books.rows(
        database, f"SELECT count(*) AS n FROM {table} WHERE strategy_id = :id", id=strategy_id
    )
    return int(found[0]["n"])


def goes_on(suite: LocalSuite, database: Database, table: str) -> None:
    """Waits until each trader has written one more row than now."""
    before = {strategy_id: count(database, table, strategy_id) for strategy_id in TRADERS}

    def all_have() -> bool:
        return all(count(database, table, strategy_id) > n for strategy_id, n in before.items())

    wait_until(suite, f"one more row in {table} of each trader", all_have)


def assert_all_is_well(database: Database, suite: LocalSuite) -> None:
    books.assert_file_is_sound(database)
    books.assert_candles_are_the_exchanges(database, suite.exchange_url)
    books.assert_every_candle_has_its_signal(database)
    books.assert_rsi_is_that_of_the_whole_history(database)
    books.assert_books_add_up(database)


def test_a_kill_of_anyone_loses_nothing_and_doubles_nothing(suite, database):
    goes_on(suite, database, "trades")
    for name in list(suite.daemons):
        suite.kill_and_restart(name)
        goes_on(suite, database, "signals")
    goes_on(suite, database, "trades")
    for strategy_id in TRADERS:
        assert suite.stop(strategy_id) == 0
    assert suite.stop("backfiller") == 0
    assert_all_is_well(database, suite)


def test_a_stopped_suite_goes_on_where_it_was(suite, database):
    goes_on(suite, database, "signals")
    daemons = {name: suite.daemons[name] for name in (*TRADERS, "backfiller")}
    for name in daemons:
        assert suite.stop(name) == 0
    signals = books.ledger(database, schema.signals)
    candles = books.ledger(database, schema.ohlcv_data)
    suite.start_backfiller(**daemons["backfiller"].settings)
    for strategy_id in TRADERS:
        suite.start_trader(strategy_id, **daemons[strategy_id].settings)
    goes_on(suite, database, "signals")
    for name in daemons:
        assert suite.stop(name) == 0
    after = books.ledger(database, schema.signals)
    assert [row for row in after if row in signals] == signals
    assert len(books.ledger(database, schema.ohlcv_data)) > len(candles)
    assert_all_is_well(database, suite)
