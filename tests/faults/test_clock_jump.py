"""The machine's clock is set forward or back by an hour under running daemons; the exchange's goes on as it was.

Setting the real clock would take the whole machine along. So the daemons run with a small library before the
system's own, which shifts the wall clock that they read, from one moment to the next; the practice exchange
runs without it.
"""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from common.exchange import connect
from tests.faults.conftest import fleet_in
from tests.faults.surroundings import BACKFILLER, ID, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.surroundings import Fleet

HOUR_S = 3600.0
SOURCE = Path(__file__).with_name("shifted_clock.c")


class MachineClock:
    """The wall clock of the processes that are started with its variables."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("needs a C compiler, for the library that shifts a process's clock")
        library = folder / "shifted_clock.so"
        words = [
            compiler,
            "-shared",
            "-fPIC",
            "-O1",
            "-o",
            str(library),
            str(SOURCE),
            "-ldl",
            "-lm",
        ]
        subprocess.run(words, check=True)
        self._file = folder / "shift"
        self.set(0.0)
        self.variables = {"LD_PRELOAD": str(library), "SHIFTED_CLOCK": str(self._file)}

    def set(self, shift_s: float) -> None:
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("d", shift_s))


@pytest.fixture
def machine(tmp_path) -> MachineClock:
    return MachineClock(tmp_path)


@pytest.fixture
def fleet(tmp_path, machine) -> Iterator[Fleet]:
    with fleet_in(tmp_path) as found:
        found.preloaded = machine.variables
        found.start()
        yield found


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (1, "this machine's clock was set forward by 3600.0 s"),
        (-1, "this machine's clock was set back by 3600.0 s"),
    ],
)
def test_a_clock_that_is_set_by_an_hour_bends_no_candle_no_signal_and_no_order(
    fleet, machine, hours, said
):
    machine.set(hours * HOUR_S)

    fleet.goes_on("ohlcv_data", "signals", "trades", by=2)
    assert until(lambda: fleet.events("clock_set"), "the event")[0] == said
    machine.set(0.0)
    fleet.goes_on("ohlcv_data", "signals", "trades")
    until(lambda: len(fleet.events("clock_set")) == 2, "the event of its end")
    assert fleet.rows("SELECT count(*) FROM revisions") == [(0,)]
    assert "Traceback" not in fleet.said(ID) + fleet.said(BACKFILLER)
    fleet.assert_nothing_is_wrong()


def test_a_nonce_that_an_exchange_wants_to_grow_does_when_the_clock_is_set_back():
    client = connect("kraken", environment={})
    before = client.nonce()
    client.milliseconds = lambda: before - 3_600_000
    after = [client.nonce(), client.nonce()]
    assert before < after[0] < after[1]
    asyncio.run(client.close())
