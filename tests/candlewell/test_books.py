"""`candlewell pnl`, `trades`, `signals` and `events`: what the tables hold, to the last digit."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from decimal import Decimal

import pytest
import sqlalchemy as sa

import schema
from common.engine import load_driver
from common.events import EventLog
from scripts.demo import TRADERS
from tests.candlewell.conftest import ROOT, Command

ONE = "trader-eth-binance-15m"


def test_trades_are_those_of_the_table_to_the_last_digit(candlewell, database):
    shown = candlewell.json("trades", "--strategy-id", ONE, "--limit", "1000")
    oldest_first = shown[::-1]
    query = (
        sa.select(schema.trades)
        .where(schema.trades.c.strategy_id == ONE)
        .order_by(schema.trades.c.timestamp, schema.trades.c.trade_id)
        .limit(len(shown))
    )
    with database.read() as connection:
        stored = connection.execute(query).mappings().all()
    assert shown
    for name in ("amount", "price", "cost", "fee", "realised_profit"):
        assert [Decimal(row[name]) for row in oldest_first] == [row[name] for row in stored]


def test_profit_is_that_of_the_view_and_its_return_of_the_starting_balance(candlewell):
    rows = {row["strategy_id"]: row for row in candlewell.json("pnl")}
    assert set(rows) == set(TRADERS)
    for row in rows.values():
        made = row["realised_profit"] + row["unrealised_profit"]
        assert row["return"] == pytest.approx(made / row["starting_balance"])
        assert 0 <= row["drawdown"] < 1
    assert rows["trader-btc-coinbase-1h"]["currency"] == "USD"


def test_signals_of_a_kind_are_the_newest_of_that_kind(candlewell):
    shown = candlewell.json("signals", "--signal", "buy", "--signal", "sell", "--limit", "5")
    assert len(shown) == 5
    assert {row["signal"] for row in shown} <= {"buy", "sell"}
    times = [row["timestamp"] for row in shown]
    assert times == sorted(times, reverse=True)
    assert all(isinstance(row["indicators"]["rsi"], float) for row in shown)


def test_since_begins_with_that_candle(candlewell):
    newest = candlewell.json("signals", "--strategy-id", ONE, "--limit", "3")
    since = newest[-1]["timestamp"]
    shown = candlewell.json("signals", "--strategy-id", ONE, "--since", since, "--limit", "1000")
    assert shown[-1]["timestamp"] == since


def test_events_are_selected_by_source_level_and_kind(alone, database_url):
    database = schema.open_database(database_url)
    for source, level, kind in (
        ("backfiller", "info", "candle_revised"),
        ("backfiller", "warning", "candle_rejected"),
        ("one", "error", "candle_rejected"),
    ):
        EventLog(database, source).keep(level, kind, f"{source} {kind}", count=1)
    database.close()

    def messages(*words: str) -> list[str]:
        return [event["message"] for event in alone.json("events", *words)]

    assert messages() == [
        "one candle_rejected",
        "backfiller candle_rejected",
        "backfiller candle_revised",
    ]
    assert messages("--level", "error") == ["one candle_rejected"]
    assert messages("--source", "backfiller", "--level", "warning") == [
        "backfiller candle_rejected"
    ]
    assert messages("--kind", "candle_revised") == ["backfiller candle_revised"]
    assert messages("--limit", "1") == ["one candle_rejected"]
    assert messages("--since", "2100-01-01") == []
    assert "candle_rejected" in alone("events").stdout


def test_what_has_nothing_to_show_says_so(alone):
    assert alone("trades").stdout == "no such trade\n"
    assert alone("signals").stdout == "no such signal\n"
    assert alone("events").stdout == "no such event\n"
    assert alone("pnl").stdout == "no strategy has registered yet\n"
    for name in ("trades", "signals", "events", "pnl"):
        assert alone.json(name) == []


@pytest.fixture
def still(database, tmp_path) -> Command:
    """On a copy of the fleet's database, in which nothing moves."""
    path = tmp_path / "still.db"
    with closing(load_driver().connect(database.path)) as connection:
        connection.execute(f"VACUUM INTO '{path}'")
    return Command(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("daemon", "words"),
    [
        ("backfiller", ("coverage", "--json")),
        ("backfiller", ("gaps",)),
        ("trader", ("audit", ONE)),
        ("trader", ("backtest", "--strategy-id", ONE)),
        ("trader", ("check-strategy", "--strategy-id", ONE)),
    ],
)
def test_a_command_of_a_daemon_says_the_same_here(still, daemon, words):
    there = subprocess.run(
        [sys.executable, "-m", daemon, *words],
        cwd=ROOT,
        env=still.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert there.stdout
    assert still(*words, status=there.returncode).stdout == there.stdout
