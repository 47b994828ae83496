"""Large files, killed imports, other writers, and candles of real markets."""

from __future__ import annotations

import csv
import gzip
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backfiller.files import columnar, text
from common.archive import Archive
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller_files import samples
from tests.backfiller_files.samples import PARTITION, candles, stored

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data"
MINUTE = 60_000
MINUTES = Partition("binance", "BTC/USDT", Timeframe.M1)
TOLD = ("--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1m")


def start(url: str, *words: object) -> subprocess.Popen[bytes]:
    environment = os.environ | {"DATABASE_URL": url, "BACKFILLER_CONFIG": os.devnull}
    return subprocess.Popen(
        [sys.executable, "-m", "backfiller", *map(str, words)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def wait_for_rows(database, process, least: int) -> None:
    while process.poll() is None:
        with database.read() as connection:
            if connection.exec_driver_sql("SELECT count(*) FROM ohlcv_data").scalar() >= least:
                return


def test_a_killed_import_loses_nothing_and_its_rerun_completes_it(
    database_url, database, run, tmp_path, capsys
):
    rows = candles(30_000, step=MINUTE)
    path = samples.write_csv(tmp_path / "a.csv", rows)
    chance = random.Random(3)
    for _ in range(2):
        process = start(database_url, "import", path, *TOLD)
        wait_for_rows(
            database, process, len(stored(database, MINUTES)) + chance.randrange(1, 8_000)
        )
        process.send_signal(signal.SIGKILL)
        process.communicate()
        there = stored(database, MINUTES)
        assert there == rows[: len(there)]
    assert run("import", path, *TOLD) == 0
    assert stored(database, MINUTES) == rows
    assert f"{len(rows) - len(there)} stored, {len(there)} already there" in capsys.readouterr().out


def test_rows_in_any_order_and_repeated_come_in_once(run, database, tmp_path, capsys):
    rows = candles(30_000, step=MINUTE)
    mixed = random.Random(5).sample(rows, len(rows)) + rows[:5000]
    assert run("import", samples.write_parquet(tmp_path / "a.parquet", mixed), *TOLD) == 0
    assert stored(database, MINUTES) == rows
    assert "30000 stored, 5000 already there, 0 rejected" in capsys.readouterr().out


def test_many_blocks_are_counted_on_from_each_other(run, database, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(text, "_BLOCK_BYTES", 100_000)
    monkeypatch.setattr(columnar, "BLOCK_ROWS", 1_000)
    rows = candles(12_000, step=MINUTE)
    lines = samples.csv_text(rows).splitlines()
    lines[9_000] = lines[9_000].replace(",", ",x", 1)
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run("import", tmp_path / "a.csv", *TOLD) == 2
    assert "line 9001: open: expected a number" in capsys.readouterr().err
    kept = len(stored(database, MINUTES))
    assert 0 < kept < 9_000
    assert run("import", samples.write_json(tmp_path / "a.json", rows), *TOLD) == 0
    assert f"{12_000 - kept} stored, {kept} already there" in capsys.readouterr().out
    broken = [*rows[:5_000], (*rows[5_000][:5], -1.0), *rows[5_001:]]
    assert run("import", samples.write_parquet(tmp_path / "a.parquet", broken), *TOLD) == 1
    assert stored(database, MINUTES) == rows


def test_what_is_archived_is_already_there(run, database, tmp_path, capsys):
    rows = candles(31 * 24, start=samples.at("2024-01-01"))
    samples.store(database, rows)
    assert run("archive") == 0
    changed = [*rows[:-1], (*rows[-1][:5], 77.0)]
    path = samples.write_csv(
        tmp_path / "binance_BTC-USDT_1h.csv",
        [*changed, *candles(5, start=samples.at("2024-02-01"))],
    )
    capsys.readouterr()
    assert run("import", path) == 1
    assert "5 stored, 743 already there, 1 different" in capsys.readouterr().out
    assert Archive(database).spans(PARTITION) == [(rows[0][0], rows[-1][0])]


@pytest.mark.skipif(not REAL.is_dir(), reason="the real candles of ../shared/data are not here")
@pytest.mark.parametrize(
    "name",
    [
        "COINBASE_BTC-USD_1h",
        "UNKNOWN_BTC-USDT_5m",
        "BITTREX_ETH-BTC_1m",
        "BITTREX_ETH-BTC_5m",
        "BITTREX_CFI-BTC_1m",
    ],
)
def test_candles_of_real_markets_come_in_with_their_holes_and_out_again(
    run, database, tmp_path, name
):
    path = REAL / f"{name}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as opened:
        rows = [
            (int(t), float(o), float(h), float(low), float(c), float(v))
            for t, o, h, low, c, v in list(csv.reader(opened))[1:]
        ]
    exchange, symbol, timeframe = name.lower().replace("-", "/").split("_")
    partition = Partition(exchange, symbol.upper(), Timeframe(timeframe))
    assert run("import", path) == 0
    assert stored(database, partition) == rows
    assert run("archive") == 0
    assert stored(database, partition) == []
    what = ("--exchange", exchange, "--symbol", symbol.upper(), "--timeframe", timeframe)
    assert run("export", *what, "--output", tmp_path) == 0
    assert (
        run("import", tmp_path / f"{exchange}_{symbol.upper().replace('/', '-')}_{timeframe}.csv")
        == 0
    )
    assert stored(database, partition) == []
