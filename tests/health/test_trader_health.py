"""A trader is healthy if each stored candle gets its signal, or if it says what it waits for."""

from __future__ import annotations

import signal

from tests.health.daemon import until
from tests.trader.market import closes
from tests.trader.running import count, rows

FAST = {"RSI_PERIOD": "2", "STOP_LOSS": "none"}  # 41 candles to warm up
WARM = 41
HASTY = """
from common import database, heartbeat
from trader import duty
database._LOCK_DEADLINE_S, heartbeat._UNWRITTEN_S, heartbeat.ROW_EVERY_S = 1.0, 4.0, 1.0
heartbeat.GOOD_FOR_S = duty.LIMIT_S = 4.0
"""
NEVER_EVALUATES = """
from trader.engine import Engine
honest = Engine._decide_on
def once(self, opened, newest, now):
    if self._last_signal is None:
        honest(self, opened, newest, now)
Engine._decide_on = once
"""
HANGING = """
import pandas as pd

class Hanging:
    warmup = 1

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        while candles["close"].iloc[-1] == 50.0:
            pass
        return pd.DataFrame({"signal": "hold", "reason": "nothing"}, index=candles.index)
"""


def test_one_that_waits_says_what_for_and_is_healthy(market, daemon):
    trader = daemon("trader", first=HASTY)
    trader.until_said(0, "waiting: 0 of 281 candles")
    trader.stays_healthy(9.0)


def test_one_that_has_evaluated_the_newest_candle_says_so_and_stays_healthy_while_none_comes(
    market, daemon
):
    newest = market.add(*closes(WARM))
    trader = daemon("trader", first=HASTY, **FAST)
    trader.until_said(0, "running: evaluated 2026-01-03 04:00 UTC")
    trader.stays_healthy(9.0)
    assert rows(market.database, "SELECT max(timestamp) FROM signals") == [(newest,)]


def test_one_whose_loop_goes_round_but_that_does_not_evaluate_turns_unhealthy(market, daemon):
    market.add(*closes(WARM))
    trader = daemon("trader", first=HASTY + NEVER_EVALUATES, **FAST)
    trader.until_said(0, "running: evaluated ")
    market.add(100.0)
    said = trader.until_said(1, "unhealthy: expected a signal for the candle of ")
    assert "within 4 s, found the last one for that of 2026-01-03 04:00 UTC" in said
    assert trader.log.read_text().count('"event": "stuck"') == 1
    until(
        lambda: rows(market.database, "SELECT state FROM fleet_health") == [("stuck",)],
        "a row that says so",
    )


def test_one_whose_every_write_fails_turns_unhealthy_and_goes_on_afterwards(market, daemon):
    market.add(*closes(WARM))
    trader = daemon("trader", first=HASTY, **FAST)
    trader.until_said(0, "running: evaluated ")
    market.add(100.0)
    until(lambda: count(market.database, "signals") == 2, "a second signal")
    with market.database.write():
        said = trader.until_said(1, "nothing could be written to the database for ")
        assert "the database was locked by another process for 1 s" in said
    trader.until_said(0, "running: evaluated ")
    market.add(101.0)
    until(lambda: count(market.database, "signals") == 3, "the signals after it")


def test_one_whose_strategy_never_returns_turns_unhealthy(market, daemon, tmp_path):
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "hanging.py").write_text(HANGING, encoding="utf-8")
    (tmp_path / "trader.yml").write_text(
        "strategy: hanging:Hanging\nexchange: binance\nsymbol: BTC/USDT\ntimeframe: 1h\n"
        "starting_balance: 1000\nstake_amount: 100\n",
        encoding="utf-8",
    )
    market.add(100.0)
    trader = daemon("trader", first=HASTY, CONFIG_FILE=str(tmp_path / "trader.yml"))
    trader.until_said(0, "running: evaluated ")
    market.add(50.0)
    trader.until_said(1, "expected a heartbeat within 4 s, found one ")


def test_one_that_is_stopped_turns_unhealthy(market, daemon):
    trader = daemon("trader", first=HASTY)
    trader.until_said(0, "waiting: ")
    trader.signal(signal.SIGSTOP)
    trader.until_said(1, "the daemon hangs; it last said 'waiting: 0 of 281 candles'")
