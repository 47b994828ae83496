"""The database file is not there at the start, is taken away or replaced under running daemons, or is newer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing

from common.engine import load_driver
from tests.faults.surroundings import BACKFILLER, ID, ROOT

IO_ERROR = 74
MISTAKE = 2


def backup(fleet, to):
    """A consistent copy of the database as it is now, without what is in its WAL alone."""
    with (
        closing(load_driver().connect(str(fleet.path))) as source,
        closing(load_driver().connect(str(to))) as copy,
    ):
        source.backup(copy)


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
    fleet.start_backfiller()
    fleet.start_trader()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_a_database_that_is_replaced_under_running_daemons_ends_them_and_they_go_on_with_the_new_one(
    fleet, tmp_path
):
    older = tmp_path / "older.db"
    backup(fleet, older)
    fleet.goes_on("trades")
    for file in fleet.path.parent.glob("trading.db*"):
        file.unlink()
    shutil.move(older, fleet.path)

    ends_of_both(fleet)

    fleet.start_backfiller()
    fleet.start_trader()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_files_beside_the_database_that_are_removed_end_the_daemons_before_they_are_missed(fleet):
    written = fleet.rows("SELECT timestamp, signal, price FROM signals")
    for end in ("-wal", "-shm"):
        fleet.path.with_name(f"{fleet.path.name}{end}").unlink()

    ends_of_both(fleet, ends=("-wal", "-shm"))

    assert set(written) <= set(fleet.rows("SELECT timestamp, signal, price FROM signals"))
    fleet.start_backfiller()
    fleet.start_trader()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()


def test_a_database_that_is_not_there_at_the_start_is_refused_and_not_made(fleet):
    for name in (BACKFILLER, ID):
        assert fleet.suite.stop(name) == 0
    aside = fleet.path.with_name("aside.db")
    fleet.path.rename(aside)
    for start, name in ((fleet.start_backfiller, BACKFILLER), (fleet.start_trader, ID)):
        start()
        assert fleet.status(name) == MISTAKE
        said = fleet.said(name)
        assert "DATABASE_URL: expected a database made by `python schema.py`, found no file" in said
        assert len(said.splitlines()) == 1
    assert not fleet.path.exists()
    aside.rename(fleet.path)
    fleet.start_backfiller()
    fleet.start_trader()
    fleet.goes_on("trades")
    fleet.assert_nothing_is_wrong()


def test_a_newer_database_is_refused_by_all_left_as_it_is_and_taken_up_when_it_is_today_s(fleet):
    for name in (BACKFILLER, ID):
        assert fleet.suite.stop(name) == 0

    def version(number: str) -> None:
        with closing(load_driver().connect(str(fleet.path))) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))
            connection.commit()

    before = fleet.rows("SELECT version_num FROM alembic_version")[0][0]
    version("9999")
    as_it_was = fleet.path.read_bytes()
    for start, name in ((fleet.start_backfiller, BACKFILLER), (fleet.start_trader, ID)):
        start()
        assert fleet.status(name) == MISTAKE
        assert len(fleet.said(name).splitlines()) == 1
        assert "found version 9999, which this program does not know: use a newer Candlewell" in (
            fleet.said(name)
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
    fleet.start_backfiller()
    fleet.start_trader()
    fleet.goes_on("trades")
    fleet.assert_nothing_is_wrong()
