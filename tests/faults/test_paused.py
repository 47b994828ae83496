"""A process that is paused for an hour of the market takes up where it was."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.surroundings import BACKFILLER, ID, until

if TYPE_CHECKING:
    from tests.faults.surroundings import Fleet

HOUR = 3_600_000


def market_time(fleet: Fleet) -> int:
    return int(fleet.suite.rehearsal("clock")["now_ms"])


@pytest.mark.parametrize("name", [ID, BACKFILLER])
def test_a_daemon_that_is_paused_for_an_hour_of_the_market_catches_up(fleet, name):
    process = fleet.suite.daemons[name].process
    os.kill(process.pid, signal.SIGSTOP)
    began = market_time(fleet)
    until(lambda: market_time(fleet) > began + 2 * HOUR, "two hours of the market")
    os.kill(process.pid, signal.SIGCONT)
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()
