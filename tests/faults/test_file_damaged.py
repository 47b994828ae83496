"""Pages of the database file are overwritten with garbage, before a start and under running daemons."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

from common.engine import load_driver
from tests.faults.surroundings import BACKFILLER, ID, ROOT

MISTAKE = 2
IO_ERROR = 74
PAGE = 4096
DAMAGED = "database disk image is malformed: the file is damaged: restore a backup"


def overwrite(fleet, table: str | None) -> None:
    """Puts garbage in the first page of a table, or of the file, as a failing disk or a stray program does."""
    with closing(load_driver().connect(str(fleet.path), isolation_level=None)) as connection:
        number = 1
        if table is not None:
            query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
            number = connection.execute(query, (table,)).fetchone()[0]
        # What is still in the WAL is read from there: so that nobody reads the page anew, it is moved.
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            pass
        with fleet.path.open("r+b") as file:
            file.seek((number - 1) * PAGE)
            file.write(b"\x5a" * PAGE)


@pytest.mark.parametrize("table", ["ohlcv_data", "signals"])
def test_a_page_that_is_overwritten_under_running_daemons_ends_who_reads_it_and_a_backup_helps(
    fleet, tmp_path, table
):
    fleet.backup(tmp_path / "backup.db")
    overwrite(fleet, table)
    who_reads = [(ID, "trader")] + ([(BACKFILLER, "backfiller")] if table == "ohlcv_data" else [])
    for name, who in who_reads:
        assert fleet.status(name) == IO_ERROR, fleet.said(name)
        assert fleet.last_line(name) == f"{who}: {fleet.path}: {DAMAGED}"
        assert "Traceback" not in fleet.said(name)
    if BACKFILLER in fleet.suite.daemons:
        fleet.suite.stop(BACKFILLER)
    fleet.restore(tmp_path / "backup.db")
    fleet.start_both()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_a_page_that_was_overwritten_before_the_start_ends_the_daemons_when_they_read_it(
    fleet, tmp_path
):
    fleet.stop_both()
    fleet.backup(tmp_path / "backup.db")
    overwrite(fleet, "ohlcv_data")
    fleet.start_both()
    for name, who in ((BACKFILLER, "backfiller"), (ID, "trader")):
        assert fleet.status(name) == IO_ERROR, fleet.said(name)
        assert fleet.last_line(name) == f"{who}: {fleet.path}: {DAMAGED}"
        assert "Traceback" not in fleet.said(name)
    fleet.restore(tmp_path / "backup.db")
    fleet.start_both()
    fleet.goes_on("trades")
    fleet.assert_nothing_is_wrong()


def test_a_file_whose_first_page_is_overwritten_is_refused_by_all_and_left_as_it_is(
    fleet, tmp_path
):
    fleet.stop_both()
    fleet.backup(tmp_path / "backup.db")
    overwrite(fleet, None)
    as_it_was = fleet.path.read_bytes()
    refusal = (
        "DATABASE_URL: expected a SQLite database that can be written, found "
        f"{fleet.path}: file is not a database"
    )
    said = fleet.refuses(MISTAKE)
    assert said == {BACKFILLER: f"backfiller: {refusal}\n", ID: f"trader: {refusal}\n"}
    command = [sys.executable, "schema.py", "--database", fleet.url]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (MISTAKE, f"schema.py: {refusal}\n")
    assert fleet.path.read_bytes() == as_it_was
    fleet.restore(tmp_path / "backup.db")
    fleet.start_both()
    fleet.goes_on("trades")
    fleet.assert_nothing_is_wrong()
