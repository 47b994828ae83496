"""What cannot be a candle is not stored, but told; a bad file is named, and the others go on."""

from __future__ import annotations

import gzip
import json
import math
import re
import zipfile

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import schema
from backfiller.files.checking import check
from backfiller.files.frame import Block, frame_of
from common.candle import BadMarketData, Candle
from common.clock import wall_now
from tests.backfiller_files import samples
from tests.backfiller_files.samples import HOUR, PARTITION, START, candles, stored

TOLD = ("--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1h")
GOOD = candles(30)
NOW = samples.at("2026-01-01")


def event(database, kind="file_imported"):
    query = (
        sa.select(schema.events)
        .where(schema.events.c.kind == kind)
        .order_by(schema.events.c.event_id.desc())
    )
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    return row["level"], json.loads(row["detail"])


BAD_ROWS: dict[str, list[tuple[object, ...]]] = {
    "a missing value": [(None, 1, 2, 1, 1, 1), (START, 1, 2, 1, None, 1), (START, 1, 2, 1)],
    "not a finite number": [
        (START, "nan", 2, 1, 1, 1),
        (START, 1, "inf", 1, 1, 1),
        (START, 1, 2, 1, 1, "1e999"),
    ],
    "a price not above 0": [(START, 0, 2, 0, 1, 1), (START, 1, 2, -1, 1, 1)],
    "a volume below 0": [(START, 1, 2, 1, 1, -0.1)],
    "not low <= open, close <= high": [
        (START, 3, 2, 1, 1, 1),
        (START, 1, 2, 1.5, 1, 1),
        (START, 1, 1, 2, 1, 1),
    ],
    "off the grid": [(START + 1, 1, 2, 1, 1, 1), (START + 60_000, 1, 2, 1, 1, 1)],
    "before 2009": [
        (0, 1, 2, 1, 1, 1),
        (-HOUR, 1, 2, 1, 1, 1),
        (samples.at("2008-12-31"), 1, 2, 1, 1, 1),
    ],
}


@pytest.mark.parametrize("reason", BAD_ROWS)
def test_a_row_that_is_no_candle_is_rejected_counted_and_kept_as_an_event(
    run, database, tmp_path, capsys, reason
):
    later = candles(30, start=START + 100 * HOUR)
    bad = BAD_ROWS[reason]
    path = samples.write_csv(tmp_path / "a.csv", [*later[:20], *bad, *later[20:]])
    assert run("import", path, *TOLD) == 1
    assert stored(database) == later
    assert f"{len(bad)} rejected ({len(bad)} {reason})" in capsys.readouterr().out
    level, detail = event(database)
    assert level == "warning"
    assert detail["rejected"] == {reason: len(bad)}
    assert [row["place"] for row in detail["examples"][reason]] == [22 + n for n in range(len(bad))]


def test_a_candle_that_has_not_closed_is_rejected(run, database, tmp_path, capsys):
    open_now = wall_now() // HOUR * HOUR
    rows = candles(30, start=open_now - 29 * HOUR)
    assert run("import", samples.write_csv(tmp_path / "a.csv", rows), *TOLD) == 1
    assert stored(database) == rows[:-1]
    assert "1 rejected (1 not closed yet)" in capsys.readouterr().out


def test_a_second_row_of_a_candle_is_rejected_if_it_says_otherwise(run, database, tmp_path, capsys):
    other = (*GOOD[3][:5], 99.0)
    path = samples.write_csv(tmp_path / "a.csv", [*GOOD, GOOD[2], other])
    assert run("import", path, *TOLD) == 1
    assert stored(database) == GOOD
    assert (
        "30 stored, 1 already there, 1 rejected (1 a second row of its candle"
        in capsys.readouterr().out
    )


def test_a_candle_that_is_there_is_kept_and_the_other_values_are_told(
    run, database, tmp_path, capsys
):
    samples.store(database, GOOD[:10])
    changed = [(*row[:5], row[5] + 1) for row in GOOD[:3]] + GOOD[3:]
    assert run("import", samples.write_csv(tmp_path / "a.csv", changed), *TOLD) == 1
    assert stored(database) == GOOD
    told = capsys.readouterr().out
    assert (
        "20 stored, 7 already there, 3 different from the candle there, which is kept, 0 rejected"
        in told
    )
    _, detail = event(database)
    assert detail["different"] == 3
    assert detail["examples"]["different"][0]["kept"] == list(GOOD[0][1:])


def test_an_event_keeps_only_the_first_rows_of_each_sort(run, database, tmp_path):
    bad = [(START + n * HOUR, 0, 0, 0, 0, 0) for n in range(500)]
    assert run("import", samples.write_csv(tmp_path / "a.csv", bad), *TOLD) == 1
    _, detail = event(database)
    assert detail["rejected"] == {"a price not above 0": 500}
    assert len(detail["examples"]["a price not above 0"]) == 5


def _not_a_zip(path):
    path.write_bytes(b"this is no zip at all")


def _two_files(path):
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.csv", "x")
        packed.writestr("b.csv", "x")


def _damaged_zip(path):
    samples.write_binance(path, candles(5000))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


BAD_FILES = {
    "a.zip": [(_not_a_zip, "expected a whole packed file"), (_two_files, "a zip of one file, found 2"),
              (_damaged_zip, "expected a whole packed file")],
    "a.csv": [
        (lambda p: p.write_text(samples.csv_text([*GOOD[:5], (START, 1, "two", 1, 1, 1)])), "line 7: high: expected a number, found 'two'"),
        (lambda p: p.write_text(samples.csv_text([*GOOD[:5], (START, 1, 2, 1, 1, 1, 9)])), "line 7: expected 6 columns, found 7"),
        (lambda p: p.write_text(samples.csv_text([("2024-01-01", 1, 2, 1, 1, 1)])), "line 2: timestamp: expected a whole number"),
        (lambda p: p.write_text("timestamp,open,high,low,close\n1,2,3,4,5\n"), "found no volume"),
        (lambda p: p.write_text("day,open,high,low,close,volume\n1,2,3,4,5,6\n"), "found no timestamp"),
        (lambda p: p.write_text(""), "found an empty file"),
        (lambda p: p.write_bytes(bytes(range(128, 256)) * 9), "expected text"),
        (lambda p: p.mkdir(), "expected a file, found a folder"),
        (lambda _: None, "expected a file, found none"),
    ],
    "a.csv.gz": [(lambda p: p.write_bytes(gzip.compress(samples.csv_text(candles(3000)).encode())[:-900]), "whole packed file")],
    "a.json": [(lambda p: p.write_text('{"a": [[1]]'), r"expected \[\[milliseconds"),
               (lambda p: p.write_text(json.dumps(GOOD)[:-9]), "expected a list that ends with ]]"),
               (lambda p: p.write_text('[[1704067200000,1,"x",1,1,1]]'), "row 1: high: expected a number")],
    "a.parquet": [(lambda p: p.write_bytes(b"PAR1 no"), "expected a parquet file"),
                  (lambda p: pl.DataFrame({"timestamp": [1], "open": [1.0]}).write_parquet(p), "found no high, low"),
                  (lambda p: frame_of(GOOD).with_columns(pl.col("low").cast(pl.String)).write_parquet(p), "low: expected numbers")],
    "a.feather": [(lambda p: p.write_bytes(b"ARROW1"), "expected a feather file")],
}  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [(n, *case) for n, cases in BAD_FILES.items() for case in cases],
    ids=lambda c: f"{c[0]} {c[2]}",
)
def test_a_bad_file_ends_with_status_2_and_one_line_and_the_next_file_goes_on(
    run, database, tmp_path, capsys, case
):
    name, make, message = case
    make(tmp_path / name)
    good = samples.write_csv(tmp_path / "good.csv", GOOD)
    assert run("import", tmp_path / name, good, *TOLD) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"import: {tmp_path / name}: ")
    assert re.search(message, lines[0])
    assert stored(database) == GOOD
    assert event(database, "file_refused")[0] == "error"


def test_a_last_line_that_may_be_cut_short_is_not_stored(run, database, tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_text(samples.csv_text(GOOD)[:-2], encoding="utf-8")
    assert run("import", path, *TOLD) == 2
    assert "line 31: expected the end of a line" in capsys.readouterr().err
    assert stored(database) == GOOD[:-1]


def test_a_damaged_archive_stores_nothing(run, database, tmp_path):
    _damaged_zip(tmp_path / "a.zip")
    assert run("import", tmp_path / "a.zip", *TOLD) == 2
    assert stored(database) == []


def test_candles_of_a_longer_timeframe_are_not_taken_for_those_of_a_shorter(
    run, database, tmp_path, capsys
):
    path = samples.write_csv(tmp_path / "a.csv", GOOD)
    assert run("import", path, *TOLD[:-1], "1m") == 2
    assert "expected candles of 1m, found those of 1h" in capsys.readouterr().err


def test_files_do_not_go_where_the_candles_of_a_practice_exchange_are(
    run, database, tmp_path, capsys
):
    path = samples.write_csv(tmp_path / "a.csv", GOOD)
    assert run("import", path, *TOLD, BINANCE_API_URL="http://practice:8000") == 0
    assert run("import", path, *TOLD) == 2
    assert "BINANCE_API_URL: expected http://practice:8000" in capsys.readouterr().err


NUMBERS = st.one_of(
    st.floats(width=64),
    st.sampled_from(
        [0.0, -0.0, 1.0, 2.0, 1.5, math.nan, math.inf, -math.inf, -1.0, 5e-324, 1.7e308]
    ),
    st.none(),
)


@given(st.lists(st.tuples(*[NUMBERS] * 5), min_size=1, max_size=40))
def test_the_law_for_a_block_is_that_of_a_candle(rows):
    timed = [(START + n * HOUR, *row) for n, row in enumerate(rows)]
    checked = check(Block(frame_of(timed), 1), PARTITION.timeframe, NOW)
    accepted = set(checked.good["timestamp"])
    for row in timed:
        try:
            Candle(*row)
        except BadMarketData:
            assert row[0] not in accepted
        else:
            assert row[0] in accepted
    assert checked.good.height + checked.rejected.height == len(timed)


@given(
    st.lists(
        st.integers(0, NOW + 10 * HOUR) | st.integers(0, 400_000).map(lambda n: n * HOUR),
        max_size=40,
    )
)
def test_a_time_passes_if_it_is_on_the_grid_and_its_candle_has_closed(times):
    rows = [(time, 1.0, 2.0, 1.0, 1.5, 0.0) for time in times]
    checked = check(Block(frame_of(rows), 1), PARTITION.timeframe, NOW)
    expected = [t for t in times if t % HOUR == 0 and samples.at("2009-01-03") <= t <= NOW - HOUR]
    assert checked.good["timestamp"].to_list() == expected
