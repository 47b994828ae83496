"""Real live traders in processes of their own: what they refuse, how they end, and what they never show."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.trader.running import ROOT, eventually, rows
from tests.trader_live.comparing import own_ids, require_equal
from tests.trader_live.processes import LiveTrader, has_undone, is_settled, state
from tests.trader_live.stage import BUY, HOLD, ID, SELL
from trader.__main__ import main

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage

SECRET = "practice-secret"


def runs(stage: Stage, trader: LiveTrader, **changed: str) -> None:
    """Starts the trader, and waits until it has decided on a first candle."""
    stage.say(HOLD)
    trader.start(**changed)
    eventually(lambda: state(stage) == "running:")


def has_begun(stage: Stage, candle: int) -> bool:
    """Whether that candle has led to an order, which may be over."""
    return has_undone(stage) or is_settled(stage, candle)


def says(stage: Stage, what: float) -> int:
    """A candle at which the strategy says that; its open time."""
    stage.say(what)
    return stage.next - 60_000


def test_it_trades_with_all_that_it_needs_and_its_books_are_the_exchanges(stage, trader):
    before = stage.held()
    runs(stage, trader)
    for said in (BUY, SELL):
        eventually(partial(is_settled, stage, says(stage, said)))
    require_equal(stage, before)
    assert rows(stage.database, "SELECT side, status FROM orders ORDER BY order_id") == [
        ("buy", "filled"),
        ("sell", "filled"),
    ]
    assert rows(stage.database, "SELECT mode FROM strategy_metadata") == [("live",)]


REFUSED = {
    "no second switch": ({"LIVE_CONFIRM": ""}, "live_confirm: expected the STRATEGY_ID, live"),
    "another's switch": ({"LIVE_CONFIRM": "other"}, "LIVE_CONFIRM: expected the STRATEGY_ID, live"),
    "no key": ({"{}_API_KEY_FILE": ""}, "{}_API_KEY: expected a key for live orders, found none"),
    "no secret": (
        {"{}_API_SECRET_FILE": ""},
        "{}_API_SECRET: expected a key for live orders, found none",
    ),
    "no such file": (
        {"{}_API_SECRET_FILE": "/nowhere/secret"},
        "{}_API_SECRET_FILE: expected a file that can be read, found /nowhere/secret: No such file",
    ),
    "a folder": (
        {"{}_API_SECRET_FILE": "/"},
        "{}_API_SECRET_FILE: expected a file that can be read",
    ),
    "both": (
        {"{}_API_SECRET": SECRET},
        "{0}_API_SECRET: expected one of {0}_API_SECRET and {0}_API_SECRET_FILE, found both",
    ),
}


@pytest.mark.parametrize(("changed", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_without_what_live_needs_it_is_refused_in_one_line_that_shows_no_secret(
    stage, trader, changed, line, capsys
):
    name = stage.exchange.upper()
    given = {key.format(name): value for key, value in changed.items()}
    capsys.readouterr()
    assert main([], trader.environment(**given)) == 2
    said = capsys.readouterr()
    assert line.format(name) in said.err
    require_one_line(stage, said.out, said.err)


NO_SECRETS = {
    "binance": "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----",
    "coinbase": "-----BEGIN EC PRIVATE KEY-----\nhidden\n-----END EC PRIVATE KEY-----",
    "kraken": "hidden-and-no-base64",
}


def test_a_secret_that_cannot_sign_is_refused_in_one_line_that_does_not_show_it(
    stage, trader, tmp_path, capsys
):
    name = f"{stage.exchange.upper()}_API_SECRET"
    file = tmp_path / "secret"
    file.write_text(NO_SECRETS[stage.exchange], encoding="utf-8")
    capsys.readouterr()
    assert main([], trader.environment(**{f"{name}_FILE": str(file)})) == 2
    said = capsys.readouterr()
    assert f"{name}: expected a secret that {stage.exchange} has given" in said.err
    assert "hidden" not in said.err
    require_one_line(stage, said.out, said.err)


def test_a_process_with_a_wrong_key_file_ends_with_status_2(stage, trader):
    given = {f"{stage.exchange.upper()}_API_SECRET_FILE": "/nowhere/secret"}
    done = subprocess.run(
        [sys.executable, "-m", "trader"],
        cwd=ROOT,
        env=trader.environment(**given),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    require_one_line(stage, done.stdout, done.stderr)


def require_one_line(stage: Stage, out: str, err: str) -> None:
    assert err.startswith("trader: ")
    assert len(err.splitlines()) == 1
    for secret in (SECRET, stage.credentials["secret"]):
        assert secret not in out + err


@pytest.mark.parametrize("endpoint", ["place_order", "order"])
def test_sigterm_ends_it_within_two_seconds_also_while_the_exchange_hangs(
    stage, trader, practice, endpoint
):
    before = stage.held()
    runs(stage, trader)
    bought = says(stage, BUY)  # since the first order is looked for before it is sent
    eventually(lambda: is_settled(stage, bought))
    practice.suffer(kind="hang", endpoint=endpoint, exchange=stage.exchange)
    candle = says(stage, SELL)
    eventually(lambda: not practice.ask("faults"))
    asked = time.monotonic()
    assert trader.process.stop() == 0
    assert time.monotonic() - asked < 2
    assert "Traceback" not in trader.said
    assert has_undone(stage)
    if endpoint == "order":  # the other one was never sent, which takes a while to be sure of
        trader.start()
        eventually(lambda: is_settled(stage, candle))
        require_equal(stage, before)


def test_sigterm_ends_it_within_two_seconds_also_at_a_start_that_hangs(stage, trader, practice):
    stage.say(HOLD)
    practice.suffer(kind="hang", exchange=stage.exchange)
    trader.start()
    eventually(lambda: not practice.ask("faults"))
    asked = time.monotonic()
    assert trader.process.stop() == 0
    assert time.monotonic() - asked < 2
    assert "Traceback" not in trader.said


def test_killed_at_random_moments_it_has_the_exchanges_books_after_every_restart(
    stage, trader, practice
):
    dice = random.Random(f"kills/{stage.exchange}")
    before = stage.held()
    runs(stage, trader)
    for said in (BUY, SELL, BUY, SELL):
        candle = says(stage, said)
        settled = partial(is_settled, stage, candle)
        eventually(partial(has_begun, stage, candle))
        time.sleep(dice.uniform(0, 0.1))  # the moment of the kill, not a wait
        trader.kill()
        trader.start()
        eventually(settled, within_s=60)
        require_equal(stage, before)
    assert len(own_ids(stage)) == 4


def test_no_secret_of_it_can_be_seen_anywhere(stage, trader, practice):
    runs(stage, trader, LOG_LEVEL="debug")
    practice.suffer(kind="lose_reply", endpoint="place_order", exchange=stage.exchange)
    candle = says(stage, BUY)
    eventually(lambda: is_settled(stage, candle), within_s=60)
    practice.ask(f"keys/{stage.credentials['apiKey']}", "DELETE")
    says(stage, SELL)
    eventually(lambda: len(state(stage)) > len("running:"))
    seen = {"the command line": trader.command_line, "the log": trader.said}
    trader.process.stop()
    files = [path for path in stage.database.path.parent.iterdir() if path.is_file()]
    seen |= {path.name: path.read_text(encoding="utf-8", errors="replace") for path in files}
    assert {"trading.db", "trading.db-wal"} & seen.keys()
    for where, text in seen.items():
        for secret in (SECRET, stage.credentials["secret"]):
            assert secret not in text, where
    practice.ask(f"keys/{stage.credentials['apiKey']}", "PUT")


def test_a_halt_by_command_is_obeyed_within_a_second(stage, trader):
    runs(stage, trader)
    candle = says(stage, BUY)
    eventually(lambda: is_settled(stage, candle))
    command = ["control", "halted", "--strategy-id", ID, "--reason", "news"]
    assert main(command, trader.environment()) == 0
    eventually(lambda: state(stage) == "running:halted (news)", within_s=1)
    candle = says(stage, SELL)
    eventually(lambda: is_settled(stage, candle))
    decided = rows(stage.database, f"SELECT decision FROM signals WHERE timestamp = {candle}")
    assert decided == [("no trade: halted (news)",)]
    assert len(own_ids(stage)) == 1
