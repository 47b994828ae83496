"""A disk without a byte left is waited out by all; what was committed stays, what could not be written comes later."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.faults.surroundings import BACKFILLER, ID, ROOT, until

if TYPE_CHECKING:
    from pathlib import Path

TRY_AGAIN = 75
FULL = "trading.db: database or disk is full"


def fill(disk: Path) -> Path:
    """Writes until there is no room for a page; the file that has it all."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_stops_both_daemons_until_there_is_room_and_costs_no_row(fleet_on_it, disk):
    fleet = fleet_on_it
    trader = fleet.suite.daemons[ID].process
    trader.send_signal(signal.SIGSTOP)
    fleet.goes_on("ohlcv_data", by=4)  # candles that the trader has yet to decide on
    ballast = fill(disk)
    trader.send_signal(signal.SIGCONT)
    signals = fleet.count("signals")
    for name in (ID, BACKFILLER):
        fleet.has_said(name, "disk_full")
        assert FULL in fleet.said(name)
        assert fleet.is_up(name)
    assert fleet.count("signals") == signals

    ballast.unlink()

    fleet.goes_on("ohlcv_data", "signals", "trades")
    assert "database_writable" in fleet.said(ID)
    assert FULL in fleet.events("disk_full")[0]
    until(lambda: fleet.events("disk_has_room"), "the event of its end")
    until(lambda: fleet.beat(BACKFILLER).startswith("ok: "), "a state of ok")
    assert "Traceback" not in fleet.said(ID) + fleet.said(BACKFILLER)
    fleet.assert_nothing_is_wrong()


def test_a_start_on_a_full_disk_ends_with_one_line_and_works_when_there_is_room(fleet_on_it, disk):
    fleet = fleet_on_it
    fleet.stop_both()
    ballast = fill(disk)
    for said in fleet.refuses(TRY_AGAIN).values():
        assert said.endswith("trading.db: no space left on its disk\n")
    command = [sys.executable, "schema.py", "--database", fleet.url]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (made.returncode, len(made.stderr.splitlines())) == (TRY_AGAIN, 1), made.stderr
    ballast.unlink()
    fleet.start_both()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()
