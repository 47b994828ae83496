"""The practice suite under docker-compose: it trades, and survives whatever happens to it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

import schema
from candlewell.backup.catalogue import backups_in
from candlewell.backup.restoring import restore
from candlewell.status import status_of
from tests.containers.running import DAEMONS, ROOT, TRADERS, wait_until
from tests.e2e import books

if TYPE_CHECKING:
    from collections.abc import Hashable

    from common.database import Database
    from tests.containers.running import ContainerSuite

pytestmark = pytest.mark.containers

# At most, in MiB. A trader took 95 when measured: an import that does not belong there costs more
# than the difference.
MEMORY_MB = dict.fromkeys(TRADERS, 100) | {"backfiller": 160}
SCRIPTS = ("backup.sh", "restore.sh", "places.sh")
# What is written once and never changed again.
_FINAL = (schema.ohlcv_data, schema.signals, schema.trades)
_KEYS = (schema.orders.c.order_id, schema.positions.c.position_id)


def written(database: Database) -> dict[str, set[Hashable]]:
    """Every row that may never be lost again, by its table."""
    with database.read() as connection:
        rows: dict[str, set[Hashable]] = {
            table.name: {tuple(row) for row in connection.execute(sa.select(table))}
            for table in _FINAL
        }
        return rows | {
            key.table.name: set(connection.execute(sa.select(key)).scalars()) for key in _KEYS
        }


def counts(database: Database, table: sa.Table) -> dict[str, int]:
    query = sa.select(table.c.strategy_id, sa.func.count()).group_by(table.c.strategy_id)
    with database.read() as connection:
        found = {row[0]: row[1] for row in connection.execute(query)}
    return {strategy_id: found.get(strategy_id, 0) for strategy_id in TRADERS}


def goes_on(database: Database, more: int = 1) -> None:
    """Waits until each trader has judged that many more candles than now."""
    before = counts(database, schema.signals)

    def all_have() -> bool:
        return all(n >= before[name] + more for name, n in counts(database, schema.signals).items())

    wait_until(f"{more} more signals of each trader, from {before}", all_have)


def assert_nothing_lost_or_doubled(
    before: dict[str, set[Hashable]], database: Database, suite: ContainerSuite
) -> None:
    after = written(database)
    for table, rows in before.items():
        assert not rows - after[table], f"rows of {table} that are no longer there"
    books.assert_file_is_sound(database)
    books.assert_every_candle_has_its_signal(database)
    books.assert_books_add_up(database)
    books.assert_candles_are_the_exchanges(database, suite.exchange_url())


def test_three_strategies_have_signals_trades_and_positions(database):
    for table in (schema.signals, schema.trades, schema.positions):
        wait_until(
            f"{table.name} of each strategy",
            lambda table=table: all(counts(database, table).values()),  # type: ignore[misc]
        )


def test_no_candle_was_stored_while_it_was_open(suite, database):
    goes_on(database, more=2)
    books.assert_candles_are_the_exchanges(database, suite.exchange_url())


def test_the_rsi_of_each_signal_is_that_of_the_whole_history(database):
    books.assert_rsi_is_that_of_the_whole_history(database)


def test_the_hosts_shell_reads_it_while_it_runs(suite):
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("needs the sqlite3 shell")

    def answer(statement: str) -> str:
        done = subprocess.run(
            [shell, "-readonly", suite.data / "trading.db", statement],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{statement}: {done.stderr}"
        return done.stdout.strip()

    assert answer("PRAGMA journal_mode") == "wal"
    assert answer("PRAGMA integrity_check") == "ok"
    assert answer("PRAGMA foreign_key_check") == ""
    for name in (*schema.metadata.tables, *schema.view_definitions("sqlite")):
        answer(f"SELECT * FROM {name} LIMIT 5")
    assert set(answer("SELECT strategy_id FROM profit_per_strategy").split()) == set(TRADERS)


_MEMORY = """
import os, pathlib
for process in pathlib.Path("/proc").iterdir():
    if process.name.isdigit() and int(process.name) not in (1, os.getpid()):
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        if status["Name"].strip().startswith("python"):
            print(int(status["VmRSS"].split()[0]) / 1024)
"""


@pytest.mark.parametrize("service", MEMORY_MB)
def test_resident_memory_stays_small(suite, database, service, record_property):
    goes_on(database)
    resident_mb = max(float(line) for line in suite.python(service, _MEMORY).split())
    record_property("resident_mb", round(resident_mb, 1))
    assert resident_mb <= MEMORY_MB[service]


@pytest.mark.parametrize("where", ["on the host", "in the image"])
def test_a_backup_of_the_running_suite_is_whole(suite, database, tmp_path, where):
    place = ROOT if where == "on the host" else _without_python(tmp_path)
    before = written(database)
    backups = suite.data.with_name(f"{suite.data.name}-backups")
    for words in (["backup.sh", "--keep", "1"], ["restore.sh", "--drill"]):
        done = subprocess.run(
            [str(place / "scripts" / words[0]), *words[1:]],
            env=suite.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    made = backups_in(backups, "trading")[-1]
    copy = tmp_path / "restored" / "trading.db"
    restore(made, copy)
    restored = schema.open_database(f"sqlite:///{copy}")
    books.assert_file_is_sound(restored)
    books.assert_every_candle_has_its_signal(restored)
    books.assert_books_add_up(restored)
    after = written(restored)
    restored.close()
    assert all(rows <= after[table] for table, rows in before.items())
    shutil.rmtree(backups)


def _without_python(folder):
    """What a machine has that only runs the containers: the compose file and the scripts, and no .venv."""
    for name in ("docker-compose.yml", *(f"scripts/{name}" for name in SCRIPTS)):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "config").mkdir()
    return folder


def test_a_hung_trader_turns_unhealthy_and_the_others_go_on(suite, database):
    hung, *others = TRADERS
    suite.signal(hung, "SIGSTOP")
    suite.wait_for_health(hung, "unhealthy")
    (*_, last) = suite.inspect(hung)["State"]["Health"]["Log"]
    assert "the daemon hangs; it last said 'running" in last["Output"]
    before = counts(database, schema.signals)
    wait_until(
        "the others' signals",
        lambda: all(counts(database, schema.signals)[name] > before[name] for name in others),
    )
    assert all(suite.health(service) == "healthy" for service in DAEMONS if service != hung)
    suite.signal(hung, "SIGCONT")
    suite.wait_for_health(hung)
    goes_on(database)


@pytest.mark.parametrize("service", ["backfiller", TRADERS[0]])
def test_a_container_that_is_paused_for_hours_of_the_market_is_told_and_catches_up(
    suite, database, service
):
    before = written(database)
    suite.compose("pause", service)
    assert suite.inspect(service)["State"]["Status"] == "paused"
    wait_until(
        "the silence to be told",
        lambda: any(
            line.startswith(f"{service}: nothing heard") for line in status_of(database).attention
        ),
    )
    suite.compose("unpause", service)
    suite.wait_for_health(service)
    goes_on(database, more=3)
    assert_nothing_lost_or_doubled(before, database, suite)


def test_a_crash_of_each_in_turn_is_restarted_and_nothing_is_lost_or_doubled(suite, database):
    before = written(database)
    for service in DAEMONS:
        started = suite.inspect(service)["State"]["StartedAt"]
        suite.signal(service, "SIGKILL")

        def restarted(service: str = service, started: str = started) -> bool:
            state = suite.inspect(service)["State"]
            return bool(state["Running"] and state["StartedAt"] != started)

        wait_until(f"{service} to be started again", restarted)
        goes_on(database)
    for service in DAEMONS:
        suite.wait_for_health(service)
    goes_on(database, more=3)
    assert_nothing_lost_or_doubled(before, database, suite)


def test_a_kill_of_all_at_once_loses_and_doubles_nothing(suite, database):
    before = written(database)
    suite.compose("kill", "--signal", "SIGKILL")
    suite.up()
    goes_on(database, more=3)
    assert_nothing_lost_or_doubled(before, database, suite)


def test_down_and_up_go_on_where_they_were(suite):
    database = schema.open_database(suite.database_url)
    before = written(database)
    database.close()
    suite.down()
    suite.up()
    database = schema.open_database(suite.database_url)
    goes_on(database, more=3)
    assert_nothing_lost_or_doubled(before, database, suite)
    database.close()
    assert "unchanged" in suite.logs("schema")
