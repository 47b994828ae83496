from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

import schema
from candlewell.__main__ import main
from common.database import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
EVENT = {
    "timestamp": 1,
    "source": "left",
    "level": "info",
    "kind": "x",
    "message": "",
    "detail": "{}",
}

# Pairs of rows in one transaction: a copy that is not of one moment would hold half a pair.
_WRITER = """
import sys, sqlalchemy as sa, schema
database = schema.open_database(sys.argv[1])
number = 0
while True:
    with database.write() as connection:
        for source in ("left", "right"):
            connection.execute(sa.insert(schema.events), dict(timestamp=number, source=source, level="info",
                               kind="x", message="x" * 500, detail="{}"))
    number += 1
    print(number, flush=True)
"""


@pytest.fixture
def database_url(tmp_path, _made_database) -> str:
    """A database in a data folder of its own, so that what lies beside that folder is the test's too."""
    path = tmp_path / "data" / "trading.db"
    path.parent.mkdir()
    path.write_bytes(_made_database.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def database(database_url: str) -> Path:
    return path_of(database_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data-backups"


@pytest.fixture
def writer(database_url) -> Iterator[subprocess.Popen[str]]:
    """A process that has committed already and goes on until the test ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, database_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(50):
        process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def command(database_url, tmp_path, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Runs `candlewell` on the database in this process: its status, and what it said."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.delenv("BACKUP_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "nice", lambda _: 0)  # the tests go on as they are

    def run(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def environment(**changed: str) -> dict[str, str]:
    """This process's, without what would say where the database and its backups are."""
    left_out = {"DATA_DIR", "DATABASE_URL", "BACKUP_DIR"}
    return {name: text for name, text in os.environ.items() if name not in left_out} | changed


def write(url: str, *events: dict[str, Any]) -> None:
    opened = schema.open_database(url)
    with opened.write() as connection:
        for event in events:
            connection.execute(sa.insert(schema.events), EVENT | event)
    opened.close()


def sources(url: str) -> dict[str, list[int]]:
    """The timestamps of the test's own events, by their source."""
    opened = schema.open_database(url)
    query = sa.select(schema.events.c.source, schema.events.c.timestamp).where(
        schema.events.c.kind == "x"
    )
    with opened.read() as connection:
        rows = connection.execute(query.order_by(schema.events.c.event_id)).all()
    opened.close()
    found: dict[str, list[int]] = {}
    for source, timestamp in rows:
        found.setdefault(source, []).append(timestamp)
    return found


def kinds(url: str) -> list[str]:
    """The kinds of all events that are not the test's own, oldest first."""
    opened = schema.open_database(url)
    query = sa.select(schema.events.c.kind).where(schema.events.c.kind != "x")
    with opened.read() as connection:
        found = list(connection.execute(query.order_by(schema.events.c.event_id)).scalars())
    opened.close()
    return found
