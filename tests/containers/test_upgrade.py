"""`docker-compose up` with today's image on the data folder of the first version: nothing is lost, everything goes on."""

from __future__ import annotations

import os

import pytest

import schema
from tests.containers.running import ContainerSuite, wait_until
from tests.e2e import books
from tests.practice.running import Practice
from tests.upgrade.first_version import HOUR, ID, final_rows, make_first_version

pytestmark = pytest.mark.containers

SEED = "7"  # of docker-compose.practice.yml: the same market here and in the container
_CANDLES, _AGO = 60, 30  # hourly ones, and how many have come since


@pytest.fixture(scope="module")
def old_data(tmp_path_factory):
    """A data folder with a database of the first version, whose candles are those of the practice exchange."""
    folder = tmp_path_factory.mktemp("data")
    practice = Practice("--seed", SEED)
    try:
        first = practice.now_ms() // HOUR * HOUR - (_CANDLES + _AGO) * HOUR
        candles = practice.truth("binance", "BTC/USDT", "1h", since=first, limit=_CANDLES)
    finally:
        practice.stop()
    make_first_version(f"sqlite:///{folder}/trading.db", candles)
    return folder


def test_an_upgrade_by_docker_compose_keeps_all_rows_and_a_trader_goes_on_from_its_position(
    image, old_data
):
    before = final_rows(old_data / "trading.db")
    assert len(before["ohlcv_data"]) == _CANDLES
    suite = ContainerSuite(f"candlewell-upgrade-{os.getpid()}", old_data)
    try:
        try:
            suite.up()
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{suite.logs('data-folder')}{suite.logs('schema')}"
            ) from None
        assert "upgraded from 0001" in suite.logs("schema")
        database = schema.open_database(suite.database_url)

        def has_sold() -> bool:
            query = "SELECT 1 FROM trades WHERE strategy_id = :id AND side = 'sell'"
            return bool(books.rows(database, query, id=ID))

        wait_until(f"{ID} to sell what it held", has_sold)
        after = final_rows(old_data / "trading.db")
        for table, rows in before.items():
            assert rows <= after[table], f"rows of {table} that are no longer there"
        first = books.rows(database, "SELECT * FROM positions WHERE position_id = 1")[0]
        assert (first["status"], first["strategy_id"]) == ("closed", ID)
        books.assert_file_is_sound(database)
        books.assert_every_candle_has_its_signal(database)
        books.assert_books_add_up(database)
        books.assert_candles_are_the_exchanges(database, suite.exchange_url())
        doctor = suite.compose("run", "--rm", "cli", "doctor", "--json", check=False)
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        assert f"version {schema.REVISION}" in doctor.stdout
        database.close()
    finally:
        suite.down()
