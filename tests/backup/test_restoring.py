"""A restore: checked before it replaces, refused while anybody is there, the old database kept beside."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic import command as alembic
from alembic.config import Config

import schema
from common.database import connect, path_of
from common.engine import load_driver
from common.errors import ConfigurationError
from common.instance import Instance, everyone_out
from tests.backup.conftest import ROOT, environment, kinds, names, sources, write
from tests.test_schema import FIRST_VERSION


def restored(folder, **changed: str) -> subprocess.CompletedProcess[str]:
    """The restore in a process of its own, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", "candlewell", "restore", "--folder", str(folder)],
        cwd=ROOT,
        env=environment(**changed),
        capture_output=True,
        text=True,
        check=False,
    )


def kept_beside(database):
    return sorted(
        path
        for path in database.parent.glob("trading.db.before-restore-*")
        if path.name.endswith("Z")
    )


def test_what_was_backed_up_comes_back_when_the_data_folder_is_destroyed(
    command, database, database_url
):
    write(database_url, {"timestamp": 1}, {"timestamp": 2})
    assert command("backup")[0] == 0
    shutil.rmtree(database.parent)
    status, out, err = command("restore")
    assert (status, err) == (0, "")
    assert "events 2" in out
    assert sources(database_url) == {"left": [1, 2]}
    assert kinds(database_url) == ["database_restored"]
    assert names(database.parent) == ["locks", "trading.db"]


def test_the_database_from_before_is_kept_beside_with_all_that_was_in_its_wal(
    command, database, database_url
):
    command("backup")
    writer = (
        "import os, signal, sys, sqlalchemy as sa, schema\n"
        "from tests.backup.conftest import EVENT\n"
        "with schema.open_database(sys.argv[1]).write() as connection:\n"
        "    connection.execute(sa.insert(schema.events), [EVENT | {'timestamp': n} for n in range(50)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", writer, database_url], cwd=ROOT, check=False)
    assert database.with_name("trading.db-wal").stat().st_size > 0
    status, out, _ = command("restore")
    assert status == 0
    (kept,) = kept_beside(database)
    assert str(kept) in out
    assert sources(database_url) == {}
    assert sources(f"sqlite:///{kept}") == {"left": list(range(50))}


def test_each_restore_keeps_the_one_before(command, database, database_url):
    command("backup")
    for number in range(3):
        write(database_url, {"timestamp": number})
        assert command("restore")[0] == 0
    found = [sources(f"sqlite:///{path}") for path in kept_beside(database)]
    assert found == [{"left": [0]}, {"left": [1]}, {"left": [2]}]


def test_any_backup_can_be_named(command, database_url, folder, tmp_path):
    for number in range(3):
        command("backup")
        write(database_url, {"timestamp": number})
    first, second, _ = names(folder)
    assert command("restore", first)[0] == 0
    assert sources(database_url) == {}
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder / second, elsewhere)
    assert command("restore", elsewhere)[0] == 0
    assert sources(database_url) == {"left": [0]}
    assert command("restore", "latest")[0] == 0
    assert sources(database_url) == {"left": [0, 1]}
    assert [line.split()[0] for line in command("restore", "--list")[1].splitlines()] == names(
        folder
    )


@pytest.mark.parametrize("name", ["trading-20260101T030000Z.db", "old.db.gz"])
def test_a_single_file_of_an_earlier_release_can_be_restored(
    command, database, database_url, folder, name
):
    write(database_url, {})
    folder.mkdir()
    content = database.read_bytes()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    shutil.rmtree(database.parent)
    status, _out, err = command("restore", name)
    assert (status, err) == (0, "")
    assert sources(database_url) == {"left": [1]}


def test_it_is_refused_while_a_daemon_runs_and_says_which(command, database, database_url):
    command("backup")
    write(database_url, {})
    claims = [Instance(database.parent, name, key=name) for name in ("backfiller", "trader-a")]
    status, _, err = command("restore")
    assert status == 2
    assert f"backfiller (process {os.getpid()} on" in err
    assert "trader-a" in err
    assert err.count("\n") == 1
    for claim in claims:
        claim.release()
    assert sources(database_url) == {"left": [1]}
    assert command("restore")[0] == 0


def test_no_daemon_starts_while_a_restore_is_under_way(tmp_path):
    Instance(tmp_path, "known", key="known").release()
    with everyone_out(tmp_path):
        for name in ("known", "new"):
            with pytest.raises(ConfigurationError, match="found"):
                Instance(tmp_path, name, key="STRATEGY_ID")
        with pytest.raises(ConfigurationError, match="expected no running daemon"):
            everyone_out(tmp_path).__enter__()
    for name in ("known", "new"):
        Instance(tmp_path, name, key="STRATEGY_ID").release()


def test_it_is_refused_while_anything_else_has_the_database_open(command, database, database_url):
    command("backup")
    write(database_url, {})
    reader = load_driver().connect(database)
    reader.execute("SELECT count(*) FROM events").fetchone()
    status, _, err = command("restore")
    reader.close()
    assert status == 2
    assert "expected that nobody has it open" in err
    assert err.count("\n") == 1
    assert sources(database_url) == {"left": [1]}
    assert kept_beside(database) == []


def _cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _change(path, **changed):
    manifest = path.parent / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changed))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut, "bytes with SHA-256"),
        (_flip, "bytes with SHA-256"),
        (lambda path: path.unlink(), "No such file"),
        (lambda path: _change(path, rows={"events": 7}), "expected rows {'events': 7}"),
        (lambda path: _change(path, format=2), "expected format 1, found 2"),
        (lambda path: (path.parent / "manifest.json").write_text("{"), "expected a manifest"),
        (
            lambda path: _change(path, database={"path": "../x", "size": 1, "sha256": ""}),
            "expected one inside its folder, found '../x'",
        ),
    ],
)
def test_a_damaged_backup_changes_nothing(command, database_url, folder, damage, said):
    command("backup")
    (packed,) = folder.glob("*/trading.db.gz")
    write(database_url, {})
    damage(packed)
    status, _, err = command("restore")
    assert status == 1
    assert said in err
    assert err.count("\n") == 1
    assert sources(database_url) == {"left": [1]}
    assert names(path_of(database_url).parent) == ["locks", "trading.db"]


@pytest.mark.parametrize("damage", [_cut, _flip, lambda path: path.write_text("")])
def test_a_damaged_file_of_an_earlier_release_changes_nothing(
    command, database, database_url, folder, damage
):
    folder.mkdir()
    packed = folder / "trading-20260101T030000Z.db.gz"
    packed.write_bytes(gzip.compress(database.read_bytes()))
    damage(packed)
    write(database_url, {})
    status, _, err = command("restore")
    assert status == 1
    assert err.count("\n") == 1
    assert sources(database_url) == {"left": [1]}


def test_a_backup_of_a_newer_program_is_refused(command, database_url):
    opened = schema.open_database(database_url)
    with opened.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    command("backup")
    with opened.write() as connection:
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{schema.REVISION}'"))
    opened.close()
    write(database_url, {})
    status, _, err = command("restore")
    assert status == 2
    assert "found version 9999" in err
    assert sources(database_url) == {"left": [1]}


def test_a_backup_of_an_older_version_is_restored_and_upgraded_by_the_next_start(
    command, database, database_url
):
    database.unlink()
    opened = connect(database_url, create=True)
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with opened.write() as connection:
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
        for statement in FIRST_VERSION:
            connection.execute(sa.text(statement))
    opened.close()
    assert command("backup")[0] == 0
    assert "upgraded from version 0001" in command("drill")[1]
    shutil.rmtree(database.parent)
    status, out, _ = command("restore")
    assert status == 0
    assert "it is of version 0001: schema.py upgrades it" in out
    assert schema.upgrade(database_url) == ("0001", schema.REVISION)
    assert kinds(database_url) == ["database_restored"]


def test_a_damaged_database_is_replaced_and_its_pieces_are_kept(command, database, database_url):
    command("backup")
    database.write_bytes(b"no database any more " * 1000)
    database.with_name("trading.db-wal").write_bytes(b"nor a WAL")
    status, _, err = command("restore")
    assert (status, err) == (0, "")
    assert sources(database_url) == {}
    (kept,) = kept_beside(database)
    assert kept.read_bytes().startswith(b"no database any more")
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == b"nor a WAL"


def test_a_wal_without_its_database_is_not_taken_for_the_restored_ones(
    command, database, database_url
):
    command("backup")
    database.unlink()
    database.with_name("trading.db-wal").write_bytes(b"of another one")
    assert command("restore")[0] == 0
    assert sources(database_url) == {}
    (kept,) = database.parent.glob("trading.db.before-restore-*-wal")
    assert kept.read_bytes() == b"of another one"


@pytest.mark.parametrize("which", ["latest", "trading-20260101T030000Z", "/nowhere"])
def test_a_backup_that_is_not_there_is_said_in_one_line(command, folder, which):
    status, _, err = command("restore", which)
    assert status == 1
    assert "found none" in err
    assert err.count("\n") == 1


def test_configuration_is_kept_with_the_backup_and_not_put_over_yours(command, folder, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/trader.yml").write_text("before")
    command("backup")
    (tmp_path / "config/trader.yml").write_text("after")
    out = command("restore")[1]
    (name,) = names(folder)
    assert str(folder / name / "config") in out
    assert (folder / name / "config/trader.yml").read_text() == "before"
    assert (tmp_path / "config/trader.yml").read_text() == "after"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
@pytest.mark.parametrize("destroyed", [False, True])
def test_what_root_restores_belongs_to_whom_it_belonged(database, database_url, folder, destroyed):
    def own(path):
        for one in (path, *path.rglob("*")):
            os.chown(one, 4242, 4242)

    own(database.parent)
    folder.mkdir()
    own(folder)
    backup = [sys.executable, "-m", "candlewell", "backup", "--folder", str(folder)]
    subprocess.run(backup, cwd=ROOT, env=environment(DATABASE_URL=database_url), check=True)
    if destroyed:
        shutil.rmtree(database.parent)
    assert restored(folder, DATABASE_URL=database_url).returncode == 0
    for place in (database.parent, folder):
        assert {path.stat().st_uid for path in (place, *place.rglob("*"))} == {4242}
