"""Every format comes in, and its partition is known from its name where a name can tell."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from backfiller.files.names import Guess, partition_of
from common.errors import ConfigurationError
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller_files import samples
from tests.backfiller_files.samples import candles, stored

ROWS = candles(300)
TOLD = ("--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1h")


def test_our_csv_comes_in_plain_and_packed_and_its_name_tells_the_partition(
    run, database, tmp_path
):
    assert run("import", samples.write_csv(tmp_path / "binance_BTC-USDT_1h.csv", ROWS[:200])) == 0
    assert (
        run("import", samples.write_csv(tmp_path / "binance_BTC-USDT_1h.csv.gz", ROWS[200:])) == 0
    )
    assert stored(database) == ROWS


@pytest.mark.parametrize("time", ["timestamp_ms", "TIMESTAMP", '"timestamp"'])
def test_columns_are_found_by_their_names_in_any_order_and_others_are_passed_over(
    run, database, tmp_path, time
):
    header = f"note,volume,close,low,high,open,{time}"
    mixed = [("x", *reversed(row)) for row in ROWS]
    assert run("import", samples.write_csv(tmp_path / "a.csv", mixed, header), *TOLD) == 0
    assert stored(database) == ROWS


@pytest.mark.parametrize("factor", [1, 1000], ids=["milliseconds", "microseconds"])
@pytest.mark.parametrize(
    "header", ["", "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore"]
)
def test_binance_archives_come_in_with_either_unit_with_a_header_or_without(
    run, database, tmp_path, factor, header
):
    path = tmp_path / "BTCUSDT-1h-2024-01.zip"
    assert run("import", samples.write_binance(path, ROWS, factor=factor, header=header)) == 0
    assert stored(database) == ROWS


def test_a_binance_file_that_changes_its_unit_half_way_comes_in(run, database, tmp_path):
    milli = samples.write_binance(tmp_path / "a.zip", ROWS[:150])
    micro = samples.write_binance(tmp_path / "b.zip", ROWS[150:], factor=1000)
    both = b"".join(zipfile.ZipFile(path).read(f"{path.stem}.csv") for path in (milli, micro))
    (tmp_path / "BTCUSDT-1h-2024-12.csv").write_bytes(both)
    assert run("import", tmp_path / "BTCUSDT-1h-2024-12.csv") == 0
    assert stored(database) == ROWS


def test_kraken_files_come_in_with_seconds_and_kraken_names(run, database, tmp_path):
    assert run("import", samples.write_kraken(tmp_path / "XBTUSD_60.csv", ROWS)) == 0
    assert stored(database, Partition("kraken", "BTC/USD", Timeframe.H1)) == ROWS


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_freqtrade_feather_comes_in(run, database, tmp_path, unit):
    path = tmp_path / "binance" / "BTC_USDT-1h.feather"
    assert run("import", samples.write_feather(path, ROWS, unit)) == 0
    assert stored(database) == ROWS


def test_freqtrade_json_comes_in_dense_and_spread_out(run, database, tmp_path):
    path = tmp_path / "binance" / "BTC_USDT-1h.json"
    assert run("import", samples.write_json(path, ROWS[:100])) == 0
    path.write_text(json.dumps([list(row) for row in ROWS], indent=1), encoding="utf-8")
    assert run("import", path) == 0
    assert stored(database) == ROWS


def test_parquet_comes_in(run, database, tmp_path):
    assert run("import", samples.write_parquet(tmp_path / "a.parquet", ROWS), *TOLD) == 0
    assert stored(database) == ROWS


def test_an_archived_month_comes_in_from_another_machine(run, database, tmp_path):
    path = tmp_path / "elsewhere" / "binance" / "BTC-USDT" / "1h" / "2024-01.parquet"
    assert run("import", samples.write_parquet(path, ROWS)) == 0
    assert stored(database) == ROWS


@pytest.mark.parametrize(
    ("name", "partition"),
    [
        ("binance_BTC-USDT_1h.csv", "binance BTC/USDT 1h"),
        ("COINBASE_BTC-USD_1d.csv.gz", "coinbase BTC/USD 1d"),
        ("BTCUSDT-1m-2024-01.zip", "binance BTC/USDT 1m"),
        ("ETHBTC-4h-2025-01-31.csv", "binance ETH/BTC 4h"),
        ("BTCFDUSD-5m-2024-01.zip", "binance BTC/FDUSD 5m"),
        ("XBTUSD_1440.csv", "kraken BTC/USD 1d"),
        ("ETHXBT_15.csv", "kraken ETH/BTC 15m"),
        ("XDGEUR_240.csv", "kraken DOGE/EUR 4h"),
        ("kraken/ETH_EUR-5m.json", "kraken ETH/EUR 5m"),
        ("x/binance/BTC-USDT/15m/2024-01.parquet", "binance BTC/USDT 15m"),
    ],
)
def test_a_name_tells_the_partition(name, partition):
    assert str(partition_of(Path(name), Guess())) == partition


@pytest.mark.parametrize(
    ("name", "told", "message"),
    [
        ("candles.csv", Guess(), "expected --exchange and --symbol and --timeframe"),
        ("candles.csv", Guess("binance", "BTC/USDT"), "expected --timeframe for a file"),
        ("BTC_USDT-1h.feather", Guess(), "expected --exchange for a file whose name"),
        ("BTCXXXX-1h-2024-01.zip", Guess(), "expected --symbol for a file"),
        ("BTCUSDT-3m-2024-01.zip", Guess(), "--timeframe: expected one of .*found '3m'"),
        ("XBTUSD_720.csv", Guess(), "expected minutes that the suite stores .* found 720"),
        ("a.csv", Guess("Binance!", "BTC/USDT", "1h"), "--exchange: expected a ccxt exchange id"),
        ("a.csv", Guess("binance", "BTCUSDT", "1h"), "--symbol: expected BASE/QUOTE"),
    ],
)
def test_what_a_name_does_not_tell_is_asked_for_by_its_option(name, told, message):
    with pytest.raises(ConfigurationError, match=message):
        partition_of(Path(name), told)


def test_an_option_counts_for_more_than_the_name():
    found = partition_of(Path("BTCUSDT-1h-2024-01.zip"), Guess("binanceus", None, "4h"))
    assert found == Partition("binanceus", "BTC/USDT", Timeframe.H4)


def test_a_format_that_cannot_be_known_is_asked_for_and_can_be_told(
    run, database, tmp_path, capsys
):
    path = samples.write_csv(tmp_path / "candles.txt", ROWS)
    assert run("import", path, *TOLD) == 2
    assert "expected --format (one of csv, parquet, binance" in capsys.readouterr().err
    assert run("import", path, *TOLD, "--format", "csv") == 0
    assert stored(database) == ROWS


def test_six_columns_without_a_header_are_taken_only_if_told_so(run, database, tmp_path, capsys):
    path = samples.write_csv(tmp_path / "a.csv", ROWS, header="")
    assert run("import", path, *TOLD) == 2
    assert "expected --format, or a first line that names the columns" in capsys.readouterr().err
    assert run("import", path, *TOLD, "--format", "csv") == 0
    assert stored(database) == ROWS
