"""docs/DATABASE.md is the database: each table, column, index and view is told of, and nothing that is not there."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

import schema
from tests.documents.blocks import ROOT, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = text_of("docs/DATABASE.md")
ROW = re.compile(r"^\|(.*)\|$", re.MULTILINE)
TABLE = re.compile(r"^### (?P<name>\w+)\n(?P<text>.*?)(?=^##)", re.DOTALL | re.MULTILINE)


def cells(text: str) -> list[list[str]]:
    """The rows of the first table in a piece of the document, without its head."""
    found = [[cell.strip() for cell in line.split("|")] for line in ROW.findall(text)]
    return found[2:]


def section(name: str) -> str:
    _, _, rest = DOCUMENT.partition(f"\n## {name}\n")
    assert rest, name
    return rest.partition("\n## ")[0]


def told_tables() -> dict[str, dict[str, str]]:
    """The type of each column, as the document tells it, by its table."""
    return {
        match["name"]: {row[0]: row[1] for row in cells(match["text"])}
        for match in TABLE.finditer(DOCUMENT)
    }


def type_of(column: sa.Column[object]) -> str:
    """A column's type in the document's words."""
    kind = "money" if isinstance(column.type, schema.Money) else column.type.__class__.__name__
    kind = {"money": "money", "BigInteger": "integer", "Double": "real", "Text": "text"}[kind]
    if column.primary_key:
        return f"{kind}, key"
    return f"{kind} or NULL" if column.nullable else kind


@pytest.fixture
def connection(database_url) -> Iterator[sqlite3.Connection]:
    path = database_url.removeprefix("sqlite:///")
    opened = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    yield opened
    opened.close()


def names(connection: sqlite3.Connection, kind: str) -> set[str]:
    """What a real database has of that kind, but for what SQLite makes for itself."""
    query = f"SELECT name FROM sqlite_schema WHERE type = '{kind}' AND name NOT LIKE 'sqlite_%'"
    return {name for (name,) in connection.execute(query)}


def test_every_table_of_a_database_is_told_of_and_no_other(connection):
    assert set(told_tables()) == names(connection, "table")


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_column_is_told_of_in_its_order_with_its_type(table):
    told = told_tables()[table.name]
    assert list(told.items()) == [(column.name, type_of(column)) for column in table.columns]


def test_the_words_that_a_column_may_hold_are_told_of():
    for table in schema.metadata.sorted_tables:
        rows = {match["name"]: match["text"] for match in TABLE.finditer(DOCUMENT)}[table.name]
        for constraint in table.constraints:
            if isinstance(constraint, sa.CheckConstraint):
                condition = str(constraint.sqltext)
                words = re.findall(r"'(\w+)'", condition) if " IN (" in condition else []
                missing = [word for word in words if f"`{word}`" not in rows]
                assert not missing, f"{table.name}: {condition}"


def indexes() -> dict[str, str]:
    """Each index and unique constraint, as the document writes it."""
    found: dict[str, str] = {}
    for table in schema.metadata.sorted_tables:
        for index in table.indexes:
            columns = ", ".join(
                str(one).removeprefix(f"{table.name}.") for one in index.expressions
            )
            where = " where open" if index.dialect_options["sqlite"]["where"] is not None else ""
            unique = f", unique{where}" if index.unique else ""
            found[str(index.name)] = f"{table.name}({columns}){unique}"
        for constraint in table.constraints:
            if isinstance(constraint, sa.UniqueConstraint):
                names_of = [column.name for column in constraint.columns]
                name = f"uq_{table.name}_{'_'.join(names_of)}"  # as the naming convention says
                found[name] = f"{table.name}({', '.join(names_of)}), unique"
    return found


def test_every_index_is_told_of_with_its_columns_and_no_other(connection):
    told = {row[0]: row[1] for row in cells(section("Indexes"))}
    assert told == indexes()
    assert names(connection, "index") <= set(told)


def test_every_view_is_told_of_with_its_columns_and_no_other(connection):
    told = {row[0]: row[1].split(", ") for row in cells(section("Views"))}
    found = {
        name: [row[0] for row in connection.execute(f"SELECT * FROM {name} LIMIT 0").description]
        for name in names(connection, "view")
    }
    assert told == found


def test_the_pragmas_that_it_tells_are_those_of_a_connection(database_url):
    told = {row[0]: row[1] for row in cells(section("Settings of the file"))}
    pragmas = ("journal_mode", "foreign_keys", "synchronous", "wal_autocheckpoint")
    database = schema.open_database(database_url)
    with database.read() as opened:
        found = {
            name: opened.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in (*pragmas, "journal_size_limit", "mmap_size", "auto_vacuum", "busy_timeout")
        }
    database.close()
    assert found == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 2,
        "wal_autocheckpoint": 10_000,
        "journal_size_limit": 64 * 2**20,
        "mmap_size": 0,
        "auto_vacuum": 2,
        "busy_timeout": 0,
    }
    assert {name.replace("busy timeout", "busy_timeout") for name in told} == set(found)
    assert told["journal_size_limit"] == "64 MB"
    assert "10000 elsewhere" in told["wal_autocheckpoint"]
    assert told["synchronous"].startswith("FULL in traders")


def test_it_tells_todays_version():
    assert f"version {schema.REVISION}." in DOCUMENT
    assert (ROOT / "schema.py").is_file()
