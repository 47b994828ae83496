"""The program `python schema.py`, and what the database itself refuses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st

import schema
from common.database import connect
from common.errors import ConfigurationError

ROOT = Path(__file__).parents[1]
_ORDER = (
    "INSERT INTO orders (order_id, strategy_id, client_order_id, symbol, side, type, amount, status, reason, "
    "signal_timestamp, decided_at, created_at, updated_at) VALUES "
)
FIRST_VERSION = (
    "INSERT INTO strategy_metadata VALUES "
    "('a', 'binance', 'BTC/USDT', '1h', 'rsi', NULL, 'paper', '{}', 281, '1000', 'running', 1, 1)",
    _ORDER
    + "(1, 'a', 'cw1', 'BTC/USDT', 'buy', 'market', '2', 'filled', 'rsi is below 30', 1, 1, 1, 1)",
    _ORDER
    + "(2, 'a', 'cw2', 'BTC/USDT', 'sell', 'market', '2', 'filled', 'rsi is above 70', 1, 1, 1, 1)",
    _ORDER
    + "(3, 'a', 'cw3', 'BTC/USDT', 'sell', 'market', '2', 'filled', 'stop-loss: price', 1, 1, 1, 1)",
    _ORDER
    + "(4, 'a', 'cw4', 'BTC/USDT', 'sell', 'market', '2', 'filled', 'take-profit: p', 1, 1, 1, 1)",
    "INSERT INTO trades VALUES "
    "(1, 'a', 1, 'paper-cw1-1', 'BTC/USDT', 'buy', '2', '50', '100', '0.1', 'USDT', '0', 7)",
    "INSERT INTO positions VALUES "
    "(1, 'a', 'BTC/USDT', 'open', '2', '100.1', '50.05', '0', '0.1', 7, NULL, NULL)",
)


def run_schema(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "schema.py"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def statements(url: str) -> dict[str, list[str]]:
    """Every table, index and view of a database with the parts of its SQL, constraints in any order."""
    database = connect(url)
    with database.read() as connection:
        rows = connection.execute(
            sa.text("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        ).all()
    database.close()
    part = re.compile(r", (?=CONSTRAINT)| \) (?=STRICT|WITHOUT)")
    return {name: sorted(part.split(" ".join(sql.split()))) for name, sql in rows}


def strategy(strategy_id: str = "a", **changes: object) -> dict[str, object]:
    row = {
        "strategy_id": strategy_id,
        "exchange": "binance",
        "symbol": "BTC/USDT",
        "timeframe": "1h",
        "strategy_name": "rsi",
        "mode": "paper",
        "parameters": "{}",
        "warmup": 281,
        "starting_balance": Decimal(1000),
        "status": "running",
        "registered_at": 1,
        "updated_at": 1,
    }
    return row | changes


def order(strategy_id: str, order_id: int) -> dict[str, object]:
    return {
        "order_id": order_id,
        "strategy_id": strategy_id,
        "client_order_id": f"cw-{order_id}",
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "market",
        "amount": Decimal("0.1"),
        "status": "new",
        "reason": "signal",
        "signal_timestamp": 1,
        "decided_at": 1,
        "created_at": 1,
        "updated_at": 1,
    }


def trade(strategy_id: str, order_id: int, exchange_trade_id: str = "1") -> dict[str, object]:
    return {
        "strategy_id": strategy_id,
        "order_id": order_id,
        "exchange_trade_id": exchange_trade_id,
        "symbol": "BTC/USDT",
        "side": "buy",
        "amount": Decimal("0.1"),
        "price": Decimal(100),
        "cost": Decimal(10),
        "fee": Decimal("0.01"),
        "fee_currency": "USDT",
        "realised_profit": Decimal(0),
        "timestamp": 1,
    }


def position(strategy_id: str, status: str = "open") -> dict[str, object]:
    return {
        "strategy_id": strategy_id,
        "symbol": "BTC/USDT",
        "status": status,
        "amount": Decimal("0.1"),
        "entry_cost": Decimal(10),
        "average_entry": Decimal(100),
        "realised_profit": Decimal(0),
        "fees": Decimal("0.01"),
        "opened_at": 1,
        "closed_at": 2 if status == "closed" else None,
    }


def test_the_program_creates_a_database_and_changes_nothing_when_run_again(tmp_path):
    url = f"sqlite:///{tmp_path}/new/trading.db"
    first = run_schema(url)
    assert (first.returncode, first.stderr) == (0, "")
    assert f"created, version {schema.REVISION}" in first.stdout
    before = (tmp_path / "new/trading.db").read_bytes()
    second = run_schema(url)
    assert f"unchanged, version {schema.REVISION}" in second.stdout
    assert (tmp_path / "new/trading.db").read_bytes() == before


def test_the_migrations_lead_to_the_definition(database_url, tmp_path):
    defined = f"sqlite:///{tmp_path}/defined.db"
    made = connect(defined, create=True)
    with made.write() as connection:
        schema.metadata.create_all(connection)
        schema.create_views(connection)
    made.close()
    migrated = statements(database_url)
    migrated.pop("alembic_version")
    assert migrated == statements(defined)


def test_an_upgrade_of_the_first_version_keeps_every_row_and_its_meaning(tmp_path):
    url = f"sqlite:///{tmp_path / 'trading.db'}"
    database = connect(url, create=True)
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in FIRST_VERSION:
            connection.execute(sa.text(statement))
    assert schema.upgrade(url) == ("0001", schema.REVISION)
    with database.read() as connection:
        orders = connection.execute(
            sa.text("SELECT side, purpose, reserved, failure FROM orders ORDER BY order_id")
        ).all()
        (trade,) = connection.execute(sa.text("SELECT fee, fee_cost FROM trades")).all()
        (position,) = connection.execute(sa.text("SELECT amount, dust FROM positions")).all()
        (strategy,) = connection.execute(sa.text("SELECT rules FROM strategy_metadata")).all()
        assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    database.close()
    assert [tuple(order) for order in orders] == [
        ("buy", "entry", "0", None),
        ("sell", "exit", "0", None),
        ("sell", "stop-loss", "0", None),
        ("sell", "take-profit", "0", None),
    ]
    assert (tuple(trade), tuple(position), tuple(strategy)) == (("0.1", "0.1"), ("2", "0"), ("{}",))


def test_a_newer_database_is_refused_and_left_as_it_is(database_url):
    database = schema.open_database(database_url)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    path = database.path
    database.close()
    before = path.read_bytes()
    refused = run_schema(database_url)
    assert refused.returncode == 2
    assert "found version 9999, which this program does not know" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    with pytest.raises(ConfigurationError, match="found version 9999"):
        schema.open_database(database_url)
    assert path.read_bytes() == before


def test_a_file_without_our_tables_is_refused_by_the_daemons(tmp_path):
    connect(f"sqlite:///{tmp_path}/empty.db", create=True).close()
    with pytest.raises(
        ConfigurationError, match="found one without tables, which is older: run `python schema.py`"
    ):
        schema.open_database(f"sqlite:///{tmp_path}/empty.db")


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("these are notes, " * 100, encoding="utf-8")
    refused = run_schema(f"sqlite:///{path}")
    assert refused.returncode == 2
    assert refused.stderr.startswith("schema.py: DATABASE_URL: expected a SQLite database")
    assert len(refused.stderr.splitlines()) == 1
    assert path.read_text(encoding="utf-8").startswith("these are notes")


def test_every_table_and_view_answers(database):
    names = [*schema.metadata.tables, *schema.view_definitions("sqlite")]
    with database.read() as connection:
        for name in names:
            connection.execute(sa.text(f"SELECT * FROM {name}")).all()


def test_views_can_also_be_written_for_postgresql():
    """Nothing of SQLite's own is left in the text for the other dialect."""
    for definition in schema.view_definitions("postgresql").values():
        assert "strftime" not in definition
        assert "AS REAL" not in definition


@given(amount=st.decimals(allow_nan=False, allow_infinity=False, places=18))
def test_money_reads_back_equal(amount):
    money = schema.Money()
    dialect = sa.create_engine("sqlite://").dialect
    stored = money.process_bind_param(amount, dialect)
    assert money.process_result_value(stored, dialect) == amount


def test_sums_of_money_work_in_sql(database):
    with database.write() as connection:
        connection.execute(sa.insert(schema.strategy_metadata), strategy())
        connection.execute(sa.insert(schema.orders), order("a", 1))
        for number in range(10):
            connection.execute(sa.insert(schema.trades), trade("a", 1, str(number)))
        assert connection.execute(
            sa.text("SELECT sum(amount) FROM trades")
        ).scalar() == pytest.approx(1.0)
        assert (
            connection.execute(sa.text("SELECT count(*) FROM trades WHERE cost + 0 > 9")).scalar()
            == 10
        )


@pytest.mark.parametrize("amount", [1.5, Decimal("NaN"), Decimal("Infinity")])
def test_money_that_is_not_a_finite_decimal_is_refused(database, amount):
    with (
        pytest.raises(sa.exc.StatementError, match="expected a finite Decimal"),
        database.write() as connection,
    ):
        connection.execute(sa.insert(schema.strategy_metadata), strategy(starting_balance=amount))


def refuses(database, table: sa.Table, row: dict[str, object]) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(sa.insert(table), row)


def test_the_database_refuses_doubles_and_orphans(database):
    with database.write() as connection:
        connection.execute(sa.insert(schema.strategy_metadata), [strategy("a"), strategy("b")])
        connection.execute(sa.insert(schema.orders), order("a", 1))
        connection.execute(sa.insert(schema.trades), trade("a", 1))
        connection.execute(sa.insert(schema.positions), position("a"))
    refuses(database, schema.trades, trade("a", 1))  # the same fill twice
    refuses(database, schema.trades, trade("b", 1, "2"))  # a fill of another strategy's order
    refuses(database, schema.orders, order("nobody", 2))  # an order of no strategy
    refuses(database, schema.orders, order("a", 2) | {"client_order_id": "cw-1"})
    refuses(database, schema.positions, position("a"))  # a second open one
    with database.write() as connection:
        connection.execute(sa.insert(schema.positions), [position("a", "closed"), position("b")])


def test_the_database_refuses_impossible_candles(database):
    row = {"exchange": "x", "symbol": "A/B", "timeframe": "1h", "timestamp": 0}
    good = {"open": 2.0, "high": 3.0, "low": 1.0, "close": 2.0, "volume": 0.0}
    with database.write() as connection:
        connection.execute(sa.insert(schema.ohlcv_data), row | good)
    for bad in ({"high": 1.5}, {"low": 2.5}, {"low": 0.0}, {"volume": -1.0}, {"close": None}):
        refuses(database, schema.ohlcv_data, row | good | {"timestamp": 1} | bad)


def test_candles_are_read_through_their_primary_key(database):
    query = (
        "EXPLAIN QUERY PLAN SELECT close FROM ohlcv_data WHERE exchange = 'x' AND symbol = 'A/B' "
        "AND timeframe = '1h' AND timestamp <= 5 ORDER BY timestamp DESC LIMIT 500"
    )
    with database.read() as connection:
        plan = " ".join(row.detail for row in connection.execute(sa.text(query)))
    assert "SEARCH ohlcv_data USING PRIMARY KEY" in plan
    assert "TEMP B-TREE" not in plan
