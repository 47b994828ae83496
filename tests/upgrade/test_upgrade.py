"""An upgrade of the database: all rows stay, a trader goes on, and what fails or is refused changes nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

import schema
from common.database import path_of
from tests.health.daemon import until
from tests.trader.market import BTC_1H, NOON, TestMarket
from tests.trader.running import Trader, rows
from tests.upgrade.first_version import (
    HOUR,
    ID,
    candles_from,
    content,
    final_rows,
    make_first_version,
)

ROOT = Path(__file__).parents[2]
_BEGIN = "def upgrade() -> None:\n"
_MIDDLE = '    op.execute("UPDATE trades SET fee_cost = fee")\n'


@pytest.fixture
def url(tmp_path) -> str:
    found = f"sqlite:///{tmp_path}/trading.db"
    make_first_version(found, candles_from(NOON, 200))
    return found


@pytest.fixture
def spoiled(tmp_path, monkeypatch):
    """Has the migration to the second version do something else at its begin, in its middle, or at its end."""

    def spoil(where: str, what: str) -> Path:
        folder: Path = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (file,) = folder.glob("versions/0002_*.py")
        text = file.read_text(encoding="utf-8")
        place = {"begin": _BEGIN, "middle": _MIDDLE}.get(where)
        if place is None:
            text += f"    {what}\n"
        else:
            assert place in text
            text = text.replace(place, f"{place}    {what}\n")
        file.write_text(text, encoding="utf-8")
        return folder

    return spoil


def test_every_row_of_the_first_version_is_there_after_it_and_every_view_answers(url):
    before = final_rows(path_of(url))
    assert schema.upgrade(url) == ("0001", schema.REVISION)
    assert final_rows(path_of(url)) == before
    assert all(before.values())
    database = schema.open_database(url)
    for name in schema.view_definitions("sqlite"):
        rows(database, f"SELECT * FROM {name}")
    assert rows(database, "SELECT strategy_id, amount FROM open_positions") == [(ID, 0.01)]
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    assert rows(database, "PRAGMA foreign_key_check") == []
    database.close()


def test_a_trader_goes_on_from_the_position_that_it_had(url, tmp_path):
    before = final_rows(path_of(url))
    schema.upgrade(url)
    market = TestMarket(url, BTC_1H, start=NOON + 200 * HOUR)
    market.open()
    trader = Trader(url, tmp_path / "log", RSI_PERIOD="7", STOP_LOSS="none", STRATEGY_ID=ID)
    try:
        for number in range(1, 4):
            market.add(10_000.0 + number)
        market.add(15_000.0)  # rsi above 70: to be sold
        market.tick(15_000.0)
        until(lambda: rows(market.database, "SELECT 1 FROM orders WHERE side = 'sell'"), "an exit")
        until(
            lambda: (
                market.tick(15_000.0)
                and rows(market.database, "SELECT 1 FROM trades WHERE side = 'sell'")
            ),
            "its trade",
        )
    finally:
        trader.kill()
    found = final_rows(path_of(url))
    assert all(table_rows <= found[table] for table, table_rows in before.items())
    assert rows(
        market.database,
        "SELECT position_id, status, CAST(realised_profit AS REAL) > 0.4 FROM positions",
    ) == [(1, "closed", 1)]
    sold = rows(market.database, "SELECT side, amount FROM trades ORDER BY trade_id")
    assert sold == [("buy", "0.01"), ("sell", "0.01")]
    times = [row[0] for row in rows(market.database, "SELECT timestamp FROM signals ORDER BY 1")]
    assert times == [NOON + number * HOUR for number in range(190, 204)]
    market.close()


@pytest.mark.parametrize("where", ["begin", "middle", "end"])
def test_a_migration_that_fails_leaves_the_old_database_whole(url, spoiled, where, monkeypatch):
    before = content(url)
    monkeypatch.setattr(schema, "MIGRATIONS", spoiled(where, 'raise RuntimeError("a mistake")'))
    with pytest.raises(RuntimeError, match="a mistake"):
        schema.upgrade(url)
    assert content(url) == before
    monkeypatch.undo()
    assert schema.upgrade(url) == ("0001", schema.REVISION)


@pytest.mark.parametrize("where", ["begin", "middle", "end"])
def test_a_kill_amid_the_migration_leaves_the_old_database_whole(url, spoiled, where, tmp_path):
    before = content(url)
    marker = tmp_path / "amid"
    wait = f"import pathlib, time; pathlib.Path({str(marker)!r}).touch(); time.sleep(600)"
    folder = spoiled(where, wait)
    program = (
        f"import pathlib, schema; schema.MIGRATIONS = pathlib.Path({str(folder)!r})\n"
        f"schema.upgrade({url!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        until(
            lambda: marker.exists() or process.poll() is not None, "a migration that is under way"
        )
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    finally:
        process.kill()
    assert content(url) == before
    assert schema.upgrade(url) == ("0001", schema.REVISION)


@pytest.mark.parametrize("command", ["schema", "backfiller", "trader", "candlewell status"])
def test_a_program_that_is_older_than_the_database_refuses_it_in_one_line_and_touches_nothing(
    command, database_url, tmp_path
):
    database = schema.open_database(database_url)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))
        connection.execute(sa.text("ALTER TABLE orders ADD COLUMN of_tomorrow TEXT"))
    database.close()
    path = path_of(database_url)
    before, changed_at = path.read_bytes(), path.stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"expected a database of version {schema.REVISION}" in line
    assert "found version 0999, which this program does not know: use a newer Candlewell" in line
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, changed_at)
    assert {file.name for file in tmp_path.iterdir()} <= {
        path.name,
        f"{path.name}-wal",
        f"{path.name}-shm",
    }


def test_an_older_database_is_refused_by_the_daemons_until_it_is_upgraded(url):
    before = content(url)
    done = subprocess.run(
        [sys.executable, "-m", "trader"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "found version 0001, which is older: run `python schema.py`" in done.stderr
    assert content(url) == before
