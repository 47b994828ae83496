"""Real traders in processes of their own, on a real database."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from common.controls import ControlState
from common.database_failures import DatabaseUnusable
from common.registry import Registry
from tests.trader.market import closes
from tests.trader.running import ID, ROOT, count, environment, eventually, rows, run_trader
from trader.__main__ import STATES, main

if TYPE_CHECKING:
    from common.database import Database
    from tests.trader.market import TestMarket

FAST = {"RSI_PERIOD": "2", "STOP_LOSS": "none"}  # 41 candles to warm up
WARM = 41


def state(database: Database) -> object:
    found = rows(database, "SELECT state || ':' || detail FROM heartbeats")
    return found[0][0] if found else None


def is_in_state(market: TestMarket, expected: str) -> bool:
    return state(market.database) == expected


def has(market: TestMarket, table: str, expected: int) -> bool:
    return count(market.database, table) == expected


def trade_once(market: TestMarket, price: float) -> None:
    """Closes a candle at that price, and lets the order that it leads to be filled."""
    market.add(price)
    database = market.database
    eventually(lambda: rows(database, "SELECT 1 FROM orders WHERE status = 'new'"))
    market.tick(price)
    eventually(lambda: not rows(database, "SELECT 1 FROM orders WHERE status = 'new'"))


def test_it_registers_what_it_needs_and_waits_for_it(market, started):
    started()
    eventually(lambda: state(market.database) == "waiting:0 of 281 candles")
    assert Registry(market.database).needs() == {market.partition: 281}
    assert rows(
        market.database,
        "SELECT strategy_id, strategy_name, config_file, mode, starting_balance, status FROM strategy_metadata",
    ) == [(ID, "rsi", "config/trader.yml", "paper", "10000", "waiting")]


def test_a_signal_is_there_within_a_quarter_of_a_second_of_its_candle(market, started):
    market.add(*closes(WARM))
    started(**FAST)
    eventually(lambda: count(market.database, "signals") == 1)
    took = []
    for number, price in enumerate(closes(20, seed=2)):
        market.add(price)
        stored = time.monotonic()
        eventually(partial(has, market, "signals", number + 2))
        took.append(time.monotonic() - stored)
    assert sorted(took)[len(took) // 2] < 0.25


def test_signals_become_orders_trades_and_a_position(market, started):
    market.add(*closes(WARM))
    started(**FAST)
    eventually(lambda: count(market.database, "signals") == 1)
    trade_once(market, 50.0)
    trade_once(market, 150.0)
    assert rows(market.database, "SELECT side, status, amount FROM orders") == [
        ("buy", "filled", "19.98001"),
        ("sell", "filled", "19.98001"),
    ]
    assert rows(market.database, "SELECT status, realised_profit FROM positions") == [
        ("closed", "1994.004998")
    ]
    assert rows(market.database, "SELECT trades, round_trips FROM profit_per_strategy") == [(2, 1)]


def test_sigterm_ends_it_at_once_and_it_says_that_it_has_stopped(market, started):
    trader = started()
    eventually(lambda: state(market.database))
    asked = time.monotonic()
    assert trader.stop() == 0
    assert time.monotonic() - asked < 1.5
    assert state(market.database) == "stopped:"
    assert rows(market.database, "SELECT status FROM strategy_metadata") == [("stopped",)]


def test_a_second_process_with_its_id_is_refused_and_the_first_goes_on(
    market, started, database_url
):
    trader = started()
    eventually(lambda: state(market.database))
    second = run_trader(database_url)
    assert second.returncode == 2
    assert second.stderr.startswith(
        f"trader: STRATEGY_ID: expected a name that no running process has, found '{ID}', running as process "
        f"{trader.process.pid} on "
    )
    assert len(second.stderr.splitlines()) == 1
    assert trader.process.poll() is None


def test_killed_and_started_again_it_forgets_nothing_and_does_nothing_twice(market, started):
    market.add(*closes(WARM))
    trader = started(**FAST)
    eventually(lambda: count(market.database, "signals") == 1)
    market.add(50.0)
    eventually(lambda: count(market.database, "orders") == 1)
    trader.kill()
    market.tick(50.0)
    trader = started(**FAST)
    eventually(lambda: count(market.database, "trades") == 1)
    trader.kill()
    started(**FAST)
    trade_once(market, 150.0)
    assert rows(market.database, "SELECT side, status FROM orders") == [
        ("buy", "filled"),
        ("sell", "filled"),
    ]
    assert count(market.database, "trades") == 2
    assert rows(market.database, "SELECT status FROM positions") == [("closed",)]


def test_a_start_while_the_database_is_locked_ends_with_one_line_and_status_75(
    market, database_url, monkeypatch, capsys
):
    monkeypatch.setattr("common.database._LOCK_DEADLINE_S", 0.05)
    with market.database.write():
        assert main(["--once"], environment(database_url)) == 75
    assert capsys.readouterr().err.startswith("trader: the database was locked by another process")


def test_a_database_file_that_fails_ends_it_with_one_line_and_status_74(
    market, database_url, monkeypatch, capsys
):
    def fail(*_: object) -> None:
        raise DatabaseUnusable("trading.db: disk I/O error: the disk failed")

    monkeypatch.setattr("trader.composition.run_once", lambda *_, **__: fail())
    assert main(["--once"], environment(database_url)) == 74
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "trader: trading.db: disk I/O error: the disk failed"


def test_a_database_that_is_locked_when_it_stops_does_not_make_a_crash_of_it(
    market, database_url, monkeypatch
):
    monkeypatch.setattr("common.database._LOCK_DEADLINE_S", 0.05)

    def lock(*_: object, **__: object) -> None:
        held.enter_context(market.database.write())

    with ExitStack() as held:
        monkeypatch.setattr("trader.composition.run_once", lock)
        assert main(["--once"], environment(database_url)) == 0


def test_a_halt_is_obeyed_within_a_second_and_so_is_its_end(market, started, database_url, capsys):
    market.add(*closes(WARM))
    started(**FAST)
    eventually(lambda: state(market.database) == "running:")

    def switch(to: str) -> None:
        arguments = ["control", to, "--strategy-id", ID, "--reason", "news"]
        assert main(arguments, environment(database_url)) == 0

    for to, price, decision in (
        ("halted", 50.0, "no trade: halted (news)"),
        ("reduce_only", 40.0, "no trade: reduce-only (news)"),
        ("running", 30.0, "buy 33.3"),
    ):
        switch(to)
        expected = "running:" if to == "running" else f"running:{to.replace('_', '-')} (news)"
        eventually(partial(is_in_state, market, expected), within_s=1)
        newest = market.add(price)
        query = f"SELECT decision FROM signals WHERE timestamp = {newest}"
        eventually(partial(rows, market.database, query))
        assert str(rows(market.database, query)[0][0]).startswith(decision)
    assert "the fleet" not in capsys.readouterr().out


def test_the_command_knows_every_state_there_is():
    assert list(STATES) == [state.value for state in ControlState]


def test_the_fleet_is_halted_with_one_command_that_is_kept_with_its_reason(
    market, database_url, capsys
):
    given = environment(database_url, LOG_LEVEL="info")  # as in a container
    assert main(["control", "halted", "--fleet", "--reason", "news"], given) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("the fleet: halted (news)\n", "")
    assert rows(market.database, "SELECT scope, state, reason FROM controls") == [
        ("*", "halted", "news")
    ]
    assert rows(market.database, "SELECT kind, message FROM events") == [
        ("control_set", "the fleet: halted (news)")
    ]


def test_a_switch_of_no_strategy_is_refused(market, database_url, capsys):
    main(["--once"], environment(database_url, STRATEGY_ID="mine"))
    capsys.readouterr()
    arguments = ["control", "halted", "--strategy-id", "mime", "--reason", "news"]
    assert main(arguments, environment(database_url)) == 2
    assert capsys.readouterr().err == (
        "trader: --strategy-id: expected a registered strategy, found 'mime'; did you mean 'mine'?\n"
    )
    assert count(market.database, "controls") == 0


def test_once_waits_for_the_price_that_its_order_fills_at_and_ends(market, started):
    market.add(*closes(WARM), 50.0)
    once = started("--once", **FAST)
    eventually(lambda: rows(market.database, "SELECT status FROM orders") == [("new",)])
    market.tick(50.0)
    assert once.end() == 0
    assert rows(market.database, "SELECT status FROM orders") == [("filled",)]
    assert count(market.database, "signals") == 1


def test_what_once_could_not_wait_for_is_taken_up_by_the_next_run(market, started):
    market.add(*closes(WARM), 50.0)
    once = started("--once", **FAST)
    eventually(lambda: rows(market.database, "SELECT status FROM orders") == [("new",)])
    assert once.stop() == 0
    market.tick(50.0)
    assert started("--once", **FAST).end() == 0
    assert rows(market.database, "SELECT status FROM orders") == [("filled",)]


def test_a_trader_whose_candles_stay_away_says_so(market, started):
    market.add(*closes(WARM))
    started(**FAST)
    eventually(lambda: is_in_state(market, "running:"))
    market.set_clock(market.next + 3 * market.length)
    eventually(lambda: "running:no candle since that of" in str(state(market.database)))


def test_a_process_loads_nothing_that_a_paper_trader_does_not_use(database_url):
    script = (
        "import runpy, sys\n"
        "sys.modules['rich'] = None\n"  # structlog loads it wherever it is; the image has none
        "sys.argv = ['trader', '--once']\n"
        "try: runpy.run_module('trader', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print(*{name.partition('.')[0] for name, module in sys.modules.items() if module})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(database_url),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert {"pandas", "sqlalchemy"} <= loaded
    assert not loaded & {
        "ccxt",
        "aiohttp",
        "alembic",
        "apscheduler",
        "matplotlib",
        "pyarrow",
    }


@pytest.mark.parametrize("arguments", [["control", "paused"], ["control", STATES[0]], ["--twice"]])
def test_a_wrong_argument_is_refused(arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments, {})
    assert end.value.code == 2
