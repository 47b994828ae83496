"""What is exported comes in again, equal; a file is there whole or not at all."""

from __future__ import annotations

import gzip

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backfiller.files.exporting import export_csv
from common.candle import LEAST_PRICE, MOST_PRICE, MOST_VOLUME
from common.errors import ConfigurationError
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller_files import samples
from tests.backfiller_files.samples import HOUR, START, candles, stored

WHAT = ("--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1h")
ROWS = candles(2000)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_exported_candles_come_in_again_equal(run, database, tmp_path, name):
    samples.store(database, ROWS)
    assert run("export", *WHAT, "--output", tmp_path / name) == 0
    assert (
        run(
            "import",
            tmp_path / name,
            "--exchange",
            "kraken",
            "--symbol",
            "A/B",
            "--timeframe",
            "1h",
        )
        == 0
    )
    assert stored(database, Partition("kraken", "A/B", Timeframe.H1)) == ROWS


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_gets_a_file_whose_name_tells_import_what_it_is(
    run, database, tmp_path, capsys, kind
):
    samples.store(database, ROWS)
    assert run("export", *WHAT, "--format", kind, "--output", f"{tmp_path}/out/") == 0
    path = tmp_path / "out" / f"binance_BTC-USDT_1h.{kind}"
    told = capsys.readouterr().out
    assert (
        told
        == f"{path}: binance BTC/USDT 1h: 2000 candles from 2024-01-01 00:00 to 2024-03-24 07:00 UTC\n"
    )
    assert run("import", path) == 0
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_since_is_included_and_until_is_not(run, database, tmp_path):
    samples.store(database, ROWS)
    path = tmp_path / "a.parquet"
    assert (
        run(
            "export",
            *WHAT,
            "--since",
            "2024-01-02",
            "--until",
            "2024-01-03T00:00+01:00",
            "--output",
            path,
        )
        == 0
    )
    assert pl.read_parquet(path).rows() == ROWS[24:47]


def test_exported_csv_is_what_the_manual_says(run, database, tmp_path):
    samples.store(database, [(START, 1.5, 2.0, 1.0, 1e-8 + 1, 0.0)])
    run("export", *WHAT, "--output", tmp_path / "a.csv.gz")
    text = gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode()
    assert text == f"timestamp,open,high,low,close,volume\n{START},1.5,2.0,1.0,1.00000001,0.0\n"


def test_nothing_to_export_is_told_and_makes_no_file(run, tmp_path, capsys):
    assert run("export", *WHAT, "--output", tmp_path / "a.csv") == 1
    assert "found none" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--since", "yesterday"), "--since: expected a time such as"),
        (("--output", "a.xlsx"), "--output: expected a folder, or a name that ends with"),
        (("--output", "/proc/none/a.csv"), "expected a file that can be written"),
    ],
)
def test_an_impossible_option_is_named(run, database, words, message):
    samples.store(database, ROWS[:1])
    with pytest.raises(ConfigurationError, match=message):
        run("export", *WHAT, *words)


def test_an_export_that_fails_half_way_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before", encoding="utf-8")

    def months():
        yield ROWS[:10]
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        export_csv(months(), path)
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


@st.composite
def any_candles(draw):
    price = st.floats(LEAST_PRICE, MOST_PRICE)
    times = draw(st.lists(st.integers(0, 1500), unique=True, min_size=1, max_size=30))
    rows = []
    for number in sorted(times):
        low, a, b, high = sorted(draw(st.tuples(price, price, price, price)))
        rows.append((START + number * HOUR, a, high, low, b, draw(st.floats(0, MOST_VOLUME))))
    return rows


@given(any_candles())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_candles_survive_csv_and_parquet_to_the_last_bit(run, database, tmp_path, rows):
    here, there = (Partition("binance", f"{name}/X", Timeframe.H1) for name in "AB")
    for partition in (here, there):
        with database.write() as connection:
            connection.exec_driver_sql(
                "DELETE FROM ohlcv_data WHERE symbol = ?", (partition.symbol,)
            )
    samples.store(database, rows, here)
    for name in ("a.csv", "a.parquet"):
        assert (
            run(
                "export",
                "--exchange",
                "binance",
                "--symbol",
                "A/X",
                "--timeframe",
                "1h",
                "--output",
                tmp_path / name,
            )
            == 0
        )
        assert (
            run(
                "import",
                tmp_path / name,
                "--exchange",
                "binance",
                "--symbol",
                "B/X",
                "--timeframe",
                "1h",
            )
            == 0
        )
        assert stored(database, there) == rows
