"""The database file is not there at the start, is taken away or replaced under running daemons, or is newer."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

from common.engine import load_driver
from tests.faults.surroundings import BACKFILLER, ID, ROOT

IO_ERROR = 74
MISTAKE = 2


def ends_of_both(fleet, *, ends=("",)):
    """Waits until both daemons have ended because of a file; each has said it in one last line."""
    why = "the file was removed or replaced while this ran: put the database in its place, and start again"
    for name, who in ((BACKFILLER, "backfiller"), (ID, "trader")):
        assert fleet.status(name) == IO_ERROR, fleet.said(name)
        assert fleet.last_line(name) in [f"{who}: {fleet.path}{end}: {why}" for end in ends]
        assert "Traceback" not in fleet.said(name)


def test_a_database_that_is_removed_under_running_daemons_ends_them_and_nothing_is_made_in_its_place(
    fleet,
):
    aside = fleet.path.with_name("aside")
    aside.mkdir()
    for file in fleet.path.parent.glob("trading.db*"):
        file.rename(aside / file.name)

    ends_of_both(fleet)

    assert list(fleet.path.parent.glob("trading.db*")) == []
    for file in aside.iterdir():
        file.rename(fleet.path.with_name(file.name))
    fleet.start_both()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_a_database_that_is_replaced_under_running_daemons_ends_them_and_they_go_on_with_the_new_one(
    fleet, tmp_path
):
    older = tmp_path / "older.db"
    fleet.backup(older)
    fleet.goes_on("trades")
    fleet.restore(older)

    ends_of_both(fleet)

    fleet.start_both()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_files_beside_the_database_that_are_removed_end_the_daemons_before_they_are_missed(fleet):
    written = fleet.rows("SELECT timestamp, signal, price FROM signals")
    for end in ("-wal", "-shm"):
        fleet.path.with_name(f"{fleet.path.name}{end}").unlink()

    ends_of_both(fleet, ends=("-wal", "-shm"))

    assert set(written) <= set(fleet.rows("SELECT timestamp, signal, price FROM signals"))
    fleet.start_both()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_a_database_that_is_not_there_at_the_start_is_refused_and_not_made(fleet):
    fleet.stop_both()
    aside = fleet.path.with_name("aside.db")
    fleet.path.rename(aside)
    for said in fleet.refuses(MISTAKE).values():
        assert "DATABASE_URL: expected a database made by `python schema.py`, found no file" in said
    assert not fleet.path.exists()
    aside.rename(fleet.path)
    fleet.start_both()
    fleet.goes_on("trades")
    fleet.assert_nothing_is_wrong()


def test_a_newer_database_is_refused_by_all_left_as_it_is_and_taken_up_when_it_is_today_s(fleet):
    fleet.stop_both()

    def version(number: str) -> None:
        with closing(load_driver().connect(str(fleet.path))) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))
            connection.commit()

    before = fleet.rows("SELECT version_num FROM alembic_version")[0][0]
    version("9999")
    as_it_was = fleet.path.read_bytes()
    for said in fleet.refuses(MISTAKE).values():
        assert (
            "found version 9999, which this program does not know: use a newer Candlewell" in said
        )
    upgrade = subprocess.run(
        [sys.executable, "schema.py", "--database", fleet.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert upgrade.returncode == MISTAKE
    assert fleet.path.read_bytes() == as_it_was
    version(before)
    fleet.start_both()
    fleet.goes_on("trades")
    fleet.assert_nothing_is_wrong()
