"""What a live trader wrote, with what an exchange does to its orders, is clean as well."""

from __future__ import annotations

import base64
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from common.registry import Registration, Registry
from tests.practice.running import Practice
from tests.trader.running import rows
from tests.trader_audit.playing import written_rules
from tests.trader_live.stage import BALANCE, BUY, HOLD, ID, RULES, SELL, Stage
from trader.audit.audit import audit
from trader.core.order import OrderType
from trader.write_off import write_off

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trader.audit.difference import Difference

SAID = """
class Said:
    warmup = 1

    def evaluate(self, candles):
        said = candles["volume"].map({0.0: "hold", 1.0: "buy", 2.0: "sell"})
        return candles.assign(signal=said, reason="said " + said)[["signal", "reason"]]
"""


@pytest.fixture(scope="module")
def _exchange() -> Iterator[Practice]:
    keys = [word for number in range(12) for word in ("--key", f"{number}:practice-secret")]
    exchange = Practice(*keys, "--balance", "USD=100000", "--balance", "USDT=100000")
    yield exchange
    exchange.stop()


@pytest.fixture(scope="module")
def _keys() -> Iterator[int]:
    return iter(range(12))


@pytest.fixture(params=["binance", "coinbase", "kraken"])
def stage(request, _exchange: Practice, _keys, database_url) -> Iterator[Stage]:
    secret = "practice-secret"
    if request.param == "kraken":
        secret = base64.b64encode(secret.encode()).decode()
    credentials = {"apiKey": str(next(_keys)), "secret": secret}
    made = Stage(_exchange, request.param, database_url, credentials, max_wait_s=7200.0)
    yield made
    made.close()


def differences(stage: Stage, folder: Path) -> list[Difference]:
    """Those of the stage's strategy, registered as its trader would."""
    (folder / "strategies").mkdir()
    (folder / "strategies" / "said.py").write_text(SAID)
    registration = Registration(
        strategy_id=ID,
        partition=stage.partition,
        strategy_name="said:Said",
        config_file=str(folder / "trader.yml"),
        mode="live",
        parameters={},
        warmup=1,
        starting_balance=BALANCE,
        rules=written_rules(stage.rules, BALANCE),
    )
    Registry(stage.database).register(registration)
    with stage.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM events")  # the stage's own registration
    return audit(stage.database, ID, None, None).differences


def told(stage: Stage, *story: float) -> None:
    engine = stage.start()
    for said in story:
        stage.say(said)
        stage.run(engine, passes=400)


def test_round_trips_are_clean(stage, tmp_path):
    told(stage, HOLD, BUY, HOLD, SELL, BUY)
    assert len(rows(stage.database, "SELECT 1 FROM trades")) >= 3
    assert differences(stage, tmp_path) == []


def test_limit_orders_that_are_taken_back_and_sent_again_are_clean(stage, tmp_path):
    stage.rules = replace(RULES, stake=Decimal(5_000), order_type=OrderType.LIMIT)
    stage.order_timeout_s = 2.0
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    stage.say(BUY, stage.ask_price() * 1.003)
    stage.run(engine)
    stage.say(HOLD)
    stage.run(engine)
    stage.say(SELL, stage.price() * 1.05)
    stage.run(engine, passes=400)
    stage.tick(stage.price())
    stage.run(engine)
    statuses = [status for (status,) in rows(stage.database, "SELECT status FROM orders")]
    assert statuses[1:] == ["canceled", "filled"]
    assert differences(stage, tmp_path) == []


def test_a_position_that_a_person_wrote_off_is_clean(stage, tmp_path):
    told(stage, HOLD, BUY, HOLD)
    stage.sell_by_hand(stage.ledger.books().position.amount)
    write_off(stage.database, ID, "sold by hand")
    told(stage, HOLD, BUY, SELL)
    reasons = rows(stage.database, "SELECT exit_reason FROM positions")
    assert reasons == [("by hand: sold by hand",), ("said sell",)]
    assert differences(stage, tmp_path) == []


def test_a_stop_that_sold_at_the_exchange_is_clean(stage, tmp_path):
    stage.rules = replace(RULES, stop_loss=Decimal("0.05"))
    engine = stage.start()
    for said in (HOLD, BUY):
        stage.say(said)
        stage.run(engine)
    stage.tick(stage.price() * 0.94)
    stage.run(engine)
    engine.advance()
    stage.run(engine)
    stage.say(HOLD)
    stage.run(engine)
    assert rows(stage.database, "SELECT purpose FROM orders") == [("entry",), ("stop-loss",)]
    assert differences(stage, tmp_path) == []
