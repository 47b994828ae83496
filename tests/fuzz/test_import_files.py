"""Files that are damaged or of another program: refused in one line, and never a row that is no closed candle."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfiller.__main__ import main as backfiller
from common.candle import FIRST_MARKET, Candle
from common.clock import wall_now
from common.errors import ConfigurationError
from practice.replay import read_candles
from tests.backfiller.surroundings import rows
from tests.backfiller_files import samples
from tests.fuzz import damaged
from tests.fuzz.lawful import require_lawful, require_short, run
from tests.fuzz.profile import count, examples
from trader.__main__ import main as trader

if TYPE_CHECKING:
    from pathlib import Path

    from common.database import Database


@pytest.fixture(scope="module")
def valid(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("valid")
    return {kind: damaged.written(folder, kind) for kind in damaged.KINDS}


@pytest.fixture
def folder(database_url, tmp_path) -> Path:
    (tmp_path / "backfiller.yml").write_text("", encoding="utf-8")
    folder: Path = tmp_path
    return folder


@pytest.fixture
def database(database_url):
    opened = samples.open_database(database_url)
    yield opened
    opened.close()


def require_closed_candles(database: Database) -> None:
    """Each row is a candle that a market can have had, on its grid, and has closed."""
    query = "SELECT timeframe, timestamp, open, high, low, close, volume FROM ohlcv_data"
    for timeframe, timestamp, *numbers in rows(database, query):
        assert timeframe == "1h"
        assert timestamp % samples.HOUR == 0
        assert FIRST_MARKET <= timestamp <= wall_now() - samples.HOUR
        Candle(timestamp, *numbers)


@examples(500)
@given(data=st.data())
def test_no_damaged_file_brings_a_wrong_row_or_a_traceback(valid, folder, database, data):
    count("import files")
    kind, content = data.draw(damaged.files(valid))
    file = folder / "files" / damaged.NAMES[kind]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/trading.db",
        "BACKFILLER_CONFIG": str(folder / "backfiller.yml"),
        "LOG_LEVEL": "error",
    }
    ended = run(lambda: backfiller(["import", str(file)]), environment)
    require_lawful(ended)
    if ended.status == 0:
        assert "stored" in ended.out
    require_closed_candles(database)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM ohlcv_data")


@examples(150)
@given(data=st.data())
def test_no_damaged_csv_file_breaks_a_backtest_or_a_replay(valid, folder, data):
    count("CSV files for a backtest and a replay")
    _, content = data.draw(damaged.files({"csv": valid["csv"]}))
    file = folder / "candles.csv"
    file.write_bytes(content)
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/none.db",
        "RSI_PERIOD": "2",
        "CONFIG_FILE": "config/trader.yml",
    }
    require_lawful(run(lambda: trader(["backtest", "--csv", str(file)], environment), environment))
    replayed = folder / "replayed.csv"
    replayed.write_bytes(content.replace(b"timestamp,", b"timestamp_ms,", 1))
    try:
        read_candles(str(replayed))
    except ConfigurationError as error:
        require_short(error)


@examples(60)
@given(data=st.data())
def test_a_damaged_archive_file_is_named_by_whatever_reads_it(valid, folder, data):
    count("archive files")
    _, content = data.draw(damaged.files({"parquet": valid["parquet"]}))
    month = folder / "archive" / damaged.NAMES["parquet"]
    shutil.rmtree(folder / "archive", ignore_errors=True)
    month.parent.mkdir(parents=True)
    month.write_bytes(content)
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/trading.db",
        "BACKFILLER_CONFIG": str(folder / "backfiller.yml"),
        "LOG_LEVEL": "error",
        "CONFIG_FILE": "config/trader.yml",
    }
    for words in (
        ["coverage"],
        [
            "export",
            "--exchange",
            "binance",
            "--symbol",
            "BTC/USDT",
            "--timeframe",
            "1h",
            "--output",
            str(folder / "o.csv"),
        ],
    ):
        require_lawful(run(lambda words=words: backfiller(words), environment))  # type: ignore[misc]
    require_lawful(run(lambda: trader(["backtest"], environment), environment))
