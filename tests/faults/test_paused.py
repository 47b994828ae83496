"""A process that is paused for an hour of the market, as `docker pause` does it, takes up where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import fleet_in
from tests.faults.surroundings import BACKFILLER, ID, ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.surroundings import Fleet

HOUR_MS = 3_600_000


@pytest.fixture
def fleet(tmp_path) -> Iterator[Fleet]:
    with fleet_in(tmp_path) as found:
        found.start_exchange()
        for start, name in ((found.start_backfiller, BACKFILLER), (found.start_trader, ID)):
            start(HEARTBEAT_FILE=str(tmp_path / name))
        found.goes_on("trades")
        yield found


def health(file: Path) -> subprocess.CompletedProcess[str]:
    """What the container's health check says."""
    return subprocess.run(
        [sys.executable, "-m", "common.healthcheck"],
        cwd=ROOT,
        env={**os.environ, "HEARTBEAT_FILE": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", [ID, BACKFILLER])
def test_a_daemon_that_is_paused_for_an_hour_of_the_market_is_unhealthy_and_catches_up(
    fleet, name, tmp_path
):
    process = fleet.suite.daemons[name].process
    process.send_signal(signal.SIGSTOP)
    began = fleet.suite.rehearsal("clock")["now_ms"]
    until(lambda: fleet.suite.rehearsal("clock")["now_ms"] > began + HOUR_MS, "an hour")
    until(lambda: health(tmp_path / name).returncode == 1, "an unhealthy process")
    assert (
        "unhealthy: expected a heartbeat within 30 s, found one " in health(tmp_path / name).stderr
    )
    process.send_signal(signal.SIGCONT)
    fleet.goes_on("ohlcv_data", "signals", "trades")
    until(lambda: health(tmp_path / name).returncode == 0, "a healthy process")
    fleet.assert_nothing_is_wrong()
