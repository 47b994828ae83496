"""What `candlewell status` says of backups."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

import schema
from common.clock import wall_now
from tests.backup.conftest import names


@pytest.fixture
def attention(command):
    """The lines of status that want a person."""

    def look() -> list[str]:
        status, out, _ = command("status", "--json")
        found = json.loads(out)["attention"]
        assert status == bool(found)
        return list(found)

    return look


def test_a_backup_and_a_drill_that_went_well_are_told_and_want_nobody(command, attention):
    assert attention() == []
    assert json.loads(command("status", "--json")[1])["backup"] == {
        "made_at": None,
        "tried_at": None,
    }
    command("backup")
    command("drill")
    assert attention() == []
    assert all(json.loads(command("status", "--json")[1])["backup"].values())


def test_a_backup_that_is_too_old_wants_a_person(command, attention, database_url):
    command("backup")
    opened = schema.open_database(database_url)
    with opened.write() as connection:
        connection.execute(sa.update(schema.events).values(timestamp=wall_now() - 27 * 3_600_000))
    opened.close()
    assert attention() == ["backup: the newest is 27 h old: are backups still being made?"]


def test_a_failure_wants_a_person_until_it_went_well_again(command, attention, folder):
    command("backup")
    (packed,) = folder.glob("*/trading.db.gz")
    packed.write_bytes(packed.read_bytes()[:-10])
    command("drill")
    (line,) = attention()
    assert line.startswith("drill failed: ")
    folder.rename(folder.with_name("away"))
    folder.write_text("no folder")
    assert command("backup")[0] != 0
    assert [line.partition(":")[0] for line in attention()] == ["backup failed", "drill failed"]
    folder.unlink()
    command("backup")
    command("drill")
    assert attention() == []
    assert len(names(folder)) == 1
