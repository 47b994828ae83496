"""`python -m trader audit`: its exit statuses, its table and JSON, and its user's mistakes in one line."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from common.controls import Control, Controls, ControlState
from common.registry import Registration, Registry
from tests.trader.market import closes
from tests.trader.running import ID as TRADER
from tests.trader.running import count, eventually, rows, run_trader
from tests.trader.stage import BALANCE, ID, STRATEGY, advance, engine_on
from tests.trader.test_process import trade_once
from tests.trader_audit.playing import change, registration

if TYPE_CHECKING:
    from pathlib import Path

    from tests.trader.market import TestMarket

WARM = STRATEGY.warmup
FAST = {"RSI_PERIOD": "2", "STOP_LOSS": "none"}


@pytest.fixture
def written(market: TestMarket) -> TestMarket:
    """A registered strategy that has bought, and was halted when it would have sold."""
    Registry(market.database).register(registration(market))
    market.add(*[100.0, 101.0] * 21, 90.0)
    advance(engine_on(market))
    market.tick(90.0)
    advance(engine_on(market))
    Controls(market.database).set(ID, Control(ControlState.HALTED, "news"))
    market.add(120.0)
    advance(engine_on(market))
    return market


def test_known_causes_are_told_and_end_with_0(written, database_url):
    done = run_trader(database_url, "audit", ID)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "strategy   a (rsi)",
        "market     binance BTC/USDT 1h",
        "candles    all that were evaluated",
        "",
        "             compared  differences  of known cause",
        "signals             2            0               0",
        "decisions           2            1               1",
        "orders              1            0               0",
        "trades              1            0               0",
        "positions           1            0               0",
        "equity              2            0               0",
        "",
        "         1  halted",
        "",
        "2026-01-03 07:00  decisions: decision: written no trade: halted (news), replay sell 3.33: halted",
    ]


def test_a_difference_without_a_known_cause_ends_with_1(written, database_url):
    change(written, "UPDATE trades SET realised_profit = '1'")
    done = run_trader(database_url, "audit", ID)
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if "realised_profit" in line)
    assert line.endswith("realised_profit: written 1, replay 0: no known cause")
    told = json.loads(run_trader(database_url, "audit", ID, "--json").stdout)
    assert told["unexplained"] == 1
    assert told["compared"]["trades"] == 1
    assert [one["cause"] for one in told["differences"]] == ["halted", None]
    clean = run_trader(database_url, "audit", ID, "--until", "2026-01-03T06:00")
    assert clean.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["b"], "STRATEGY_ID: expected a registered strategy, found 'b'; known are a"),
        (
            [ID, "--since", "soon"],
            "--since: expected a time such as 2025-01-31 or 2025-01-31T12:00, found 'soon'",
        ),
        (
            [ID, "--since", "2026-01-02", "--until", "2026-01-01"],
            "--since: expected a time before --until, which is 2026-01-01 00:00, found 2026-01-02 00:00",
        ),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(written, database_url, arguments, complaint):
    done = run_trader(database_url, "audit", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"trader: {complaint}\n"


def test_a_strategy_that_cannot_be_made_again_is_a_users_mistake(market, database_url):
    Registry(market.database).register(
        Registration(ID, market.partition, "rsi", None, "paper", {"period": 1}, 41, BALANCE)
    )
    done = run_trader(database_url, "audit", ID)
    assert done.returncode == 2
    assert done.stderr.startswith("trader: STRATEGY_ID: expected the registered parameters of 'a'")
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_is_not_there_is_a_users_mistake(tmp_path):
    done = run_trader(f"sqlite:///{tmp_path / 'none.db'}", "audit", ID)
    assert done.returncode == 2
    assert done.stderr.startswith("trader: DATABASE_URL: expected a database made by")


def test_a_strategy_that_has_written_nothing_yet_is_clean(market, database_url):
    Registry(market.database).register(registration(market))
    done = run_trader(database_url, "audit", ID)
    assert done.returncode == 0
    assert "signals             0            0               0" in done.stdout


def test_it_writes_nothing(written, database_url, tmp_path: Path):
    before = tmp_path / "before"
    tables = ["signals", "orders", "trades", "positions", "equity", "events", "controls"]
    shutil.copytree(written.database.path.parent, before)
    kept = [rows(written.database, f"SELECT * FROM {table}") for table in tables]
    assert run_trader(database_url, "audit", ID).returncode == 0
    assert [rows(written.database, f"SELECT * FROM {table}") for table in tables] == kept


def test_what_real_traders_wrote_is_clean_also_under_an_earlier_configuration(
    market, started, database_url
):
    market.add(*closes(WARM))
    for stake, low, high in (("1000", 50.0, 150.0), ("500", 10.0, 400.0)):
        trader = started(**FAST, STAKE_AMOUNT=stake)
        eventually(lambda: count(market.database, "signals"))
        trade_once(market, low)
        trade_once(market, high)
        trader.stop()
    done = run_trader(database_url, "audit", TRADER)
    assert (done.returncode, done.stderr) == (0, "")
    assert "orders              4            0               0" in done.stdout
    assert " anew; before that as it was then" in done.stdout
