"""Another process holds the write lock for longer than a writer waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from common.engine import load_driver
from tests.faults.surroundings import BACKFILLER, DEADLINE_S, ID, ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELD_S = 30.0
TRY_AGAIN = 75
LOCKED = "the database was locked by another process for 10 s"
# The daemon as it is, but for its patience: a tenth of it, so that a short lock tries it often.
IMPATIENT = (
    "import sys, common.database; common.database._LOCK_DEADLINE_S = 1.0\n"
    "from backfiller.__main__ import main; sys.exit(main(sys.argv[1:]))"
)


@contextmanager
def held(fleet) -> Iterator[float]:
    """The write lock, as of a person who has begun a transaction in a shell: since when."""
    driver = load_driver()
    with closing(driver.connect(str(fleet.path), isolation_level=None)) as connection:
        until(lambda: begun(connection), "the lock")
        yield time.monotonic()
        connection.execute("ROLLBACK")


def begun(connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except load_driver().OperationalError:
        return False
    return True


def impatient(fleet, *words) -> list[str]:
    return [sys.executable, "-c", IMPATIENT, *words]


def test_a_lock_that_is_held_for_half_a_minute_is_waited_out_by_all_and_nothing_is_lost(fleet):
    with held(fleet) as since:
        signals = fleet.count("signals")
        late = fleet.suite.start_trader("late", EXCHANGE="binance", SYMBOL="BTC/USDT")
        assert late.process.wait(DEADLINE_S) == TRY_AGAIN
        assert late.log.read_text(encoding="utf-8").splitlines()[-1] == f"trader: {LOCKED}"
        until(lambda: time.monotonic() > since + HELD_S, "half a minute")
        assert fleet.count("signals") == signals
    del fleet.suite.daemons["late"]
    fleet.goes_on("ohlcv_data", "signals", "trades")
    for name in (ID, BACKFILLER):
        assert "database_busy" in fleet.said(name)
        assert LOCKED in fleet.said(name)
        assert "Traceback" not in fleet.said(name)
    fleet.assert_nothing_is_wrong()


def test_a_backfiller_that_finds_the_file_locked_all_the_time_goes_on_trying(fleet, tmp_path):
    assert fleet.suite.stop(BACKFILLER) == 0
    settings = {**os.environ, **fleet.suite.api_urls, "CLOCK_SPEED": "1800"}
    settings |= {"DATABASE_URL": fleet.url, "BACKFILLER_CONFIG": str(fleet.config)}
    log: Path = tmp_path / "impatient.log"

    def said() -> str:
        return log.read_text(encoding="utf-8")

    with log.open("w") as output, held(fleet):
        daemon = subprocess.Popen(impatient(fleet), cwd=ROOT, env=settings, stderr=output)
        until(lambda: said().count("database_busy") > 3 or daemon.poll() is not None, "its trials")
        assert daemon.poll() is None, said()
        assert "the database was locked by another process for 1 s" in said()
    fleet.goes_on("ohlcv_data", "signals")
    with held(fleet):
        tried = said().count("database_busy")
        until(lambda: said().count("database_busy") > tried + 3 or daemon.poll() is not None, "it")
    fleet.goes_on("ohlcv_data", "signals")
    daemon.terminate()
    assert daemon.wait(DEADLINE_S) == 0, said()
    assert "Traceback" not in said()
    fleet.assert_nothing_is_wrong()


def test_once_ends_with_one_line_where_the_file_stays_locked(fleet):
    assert fleet.suite.stop(BACKFILLER) == 0
    settings = {**os.environ, **fleet.suite.api_urls, "CLOCK_SPEED": "1800"}
    settings |= {"DATABASE_URL": fleet.url, "BACKFILLER_CONFIG": str(fleet.config)}
    with held(fleet):
        once = subprocess.run(
            impatient(fleet, "--once"),
            cwd=ROOT,
            env=settings,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    assert once.returncode == TRY_AGAIN, once.stderr
    assert once.stderr.splitlines()[-1] == (
        "backfiller: the database was locked by another process for 1 s"
    )
    assert "Traceback" not in once.stderr
