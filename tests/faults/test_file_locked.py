"""Another process holds the write lock for half a minute, three times as long as a writer waits for it."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from common.engine import load_driver
from tests.faults.surroundings import BACKFILLER, ID, until

if TYPE_CHECKING:
    from collections.abc import Iterator

HELD_S = 30.0
TRY_AGAIN = 75


@contextmanager
def held(fleet) -> Iterator[float]:
    """The write lock, as of a person who has begun a transaction in a shell: since when."""
    with closing(load_driver().connect(str(fleet.path), isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except load_driver().OperationalError:
                continue
            break
        yield time.monotonic()
        connection.execute("ROLLBACK")


def test_a_lock_that_is_held_for_half_a_minute_is_waited_out_by_all_and_nothing_is_lost(fleet):
    with held(fleet) as since:
        signals = fleet.count("signals")
        assert fleet.suite.stop(ID) == 0
        fleet.start_trader()
        assert fleet.status(ID) == TRY_AGAIN
        assert fleet.last_line(ID) == "trader: the database was locked by another process for 10 s"
        until(lambda: time.monotonic() > since + HELD_S, "half a minute")
        assert fleet.count("signals") == signals
        assert fleet.is_up(BACKFILLER)
    fleet.start_trader()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    assert "Traceback" not in fleet.said(BACKFILLER)
    fleet.assert_nothing_is_wrong()
