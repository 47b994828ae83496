"""The drill: the newest backup is restored beside and read as the suite reads it; nothing of the suite is touched."""

from __future__ import annotations

import json
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

import schema
from candlewell.backup.catalogue import backups_in
from common.engine import load_driver
from tests.backup.conftest import kinds, names
from tests.backup.test_archives import HALF_YEAR, archived, stored
from tests.test_schema import FIRST_VERSION

if TYPE_CHECKING:
    import os


def trade(url: str, *more: str) -> None:
    """A strategy that has bought two coins."""
    opened = schema.open_database(url)
    strategy, order, *_ = FIRST_VERSION
    columns = (
        "INSERT INTO trades (trade_id, strategy_id, order_id, exchange_trade_id, symbol, side, amount, price, cost, "
        "fee, fee_currency, realised_profit, timestamp, fee_cost) VALUES "
    )
    with opened.write() as connection:
        for statement in (
            strategy.replace(", 1, 1)", ", 1, 1, '{}')"),
            order,
            columns
            + "(1, 'a', 1, 'x', 'BTC/USDT', 'buy', '2', '50', '100', '0.1', 'USDT', '0', 7, '0.1')",
            "INSERT INTO positions VALUES "
            "(1, 'a', 'BTC/USDT', 'open', '2', '100.1', '50.05', '0', '0.1', 7, NULL, NULL, '0')",
            *more,
        ):
            connection.execute(sa.text(statement))
    opened.close()


def test_it_says_what_the_newest_backup_holds(command, database, database_url, folder):
    stored(database_url, HALF_YEAR)
    archived(database_url)
    trade(database_url)
    command("backup")
    before = names(database.parent)
    status, out, err = command("drill")
    assert (status, err) == (0, "")
    candles = len(HALF_YEAR) - 60 * 24  # without January and February
    assert f"{candles} candles of 1 partitions" in out
    assert "the books of 1 strategies add up, 2 archived months" in out
    assert names(database.parent) == before
    assert len(backups_in(folder)) == 1
    assert command("drill", "--quiet") == (0, "", "")
    assert command("restore", "--drill")[0] == 0


def test_it_is_noted_in_the_database(command, database_url):
    assert command("drill")[0] == 1
    command("backup")
    assert command("drill")[0] == 0
    assert kinds(database_url) == ["restore_drill_failed", "backup_made", "restore_drill"]


def test_it_works_where_the_data_folder_has_no_database_any_more(command, database):
    command("backup")
    database.unlink()
    assert command("drill")[0] == 0
    assert not database.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            "UPDATE positions SET amount = '1.5'",
            "a BTC/USDT: expected to hold 2 by its trades, found 1.5",
        ),
        (
            "UPDATE positions SET entry_cost = '90'",
            "a BTC/USDT: expected -100.1 by its trades, found -90 booked",
        ),
        ("UPDATE trades SET amount = '-2'", "a: trade: expected amount and price above 0"),
    ],
)
def test_books_that_do_not_add_up_are_said(command, database_url, wrong, said):
    trade(database_url, wrong)
    assert command("backup")[0] == 0
    status, _, err = command("drill")
    assert status == 1
    assert said in err
    assert err.count("\n") == 1


def test_a_backup_that_is_too_old_is_said(command, folder):
    command("backup")
    (backup,) = backups_in(folder)
    day_before = datetime.now(UTC) - timedelta(hours=27)
    backup.path.rename(folder / f"trading-{day_before:%Y%m%dT%H%M%SZ}")
    status, _, err = command("drill")
    assert status == 1
    assert "expected one of the last 26 h, found it 27.0 h old" in err
    assert command("drill", "--max-age", "28h")[0] == 0
    assert command("drill", "--max-age", "soon")[0] == 2


def test_a_damaged_backup_is_said(command, folder):
    command("backup")
    (packed,) = folder.glob("*/trading.db.gz")
    packed.write_bytes(packed.read_bytes()[:-10])
    status, _, err = command("drill")
    assert status == 1
    assert str(packed) in err
    assert err.count("\n") == 1


def test_configuration_that_was_changed_in_the_backup_is_said(command, folder, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/trader.yml").write_text("before")
    command("backup")
    (file,) = folder.glob("*/config/trader.yml")
    file.write_text("after!")
    status, _, err = command("drill")
    assert status == 1
    assert "config/trader.yml" in err


def test_without_room_it_is_not_tried(command, monkeypatch):
    command("backup")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 9, 1000))
    status, _, err = command("drill")
    assert status == 1
    assert "expected room for the drill" in err


def test_what_a_killed_drill_left_is_removed_by_the_next(command, database):
    command("backup")
    left = database.parent / ".drill.unfinished"
    left.mkdir()
    (left / "trading.db").write_text("half")
    assert command("drill")[0] == 0
    assert not left.exists()


def test_it_reads_a_backup_while_the_suite_writes(command, database, writer):
    command("backup")
    assert command("drill")[0] == 0
    assert writer.poll() is None
    assert json.loads(_detail(database))["backup"].startswith("trading-")


def _detail(database: os.PathLike[str]) -> str:
    connection = load_driver().connect(database)
    row = connection.execute("SELECT detail FROM events WHERE kind = 'restore_drill'").fetchone()
    connection.close()
    return str(row[0])
