"""The life of a live order at each exchange, without and with trouble."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from common.clock import MarketClock, wall_now
from common.controls import Control, Controls, ControlState
from common.database import DatabaseLocked
from common.exchange_status import Exchanges
from tests.trader.running import rows
from tests.trader_live.comparing import own_ids, require_equal
from tests.trader_live.deadly import Countdown, Deadly, Killed
from tests.trader_live.stage import BUY, HOLD, ID, RULES, SELL
from trader.core.order import OrderType

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage

ORDERS = "SELECT side, type, status FROM orders ORDER BY order_id"
ROUND_TRIP = [("buy", "market", "filled"), ("sell", "market", "filled")]
LOST = [
    {"kind": "lose_reply"},
    {"kind": "drop"},
    {"kind": "truncate"},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 418},
    {"kind": "body", "body": "{}"},
]


def bought(stage: Stage) -> Any:
    """An engine whose position is open."""
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    stage.say(BUY)
    stage.run(engine)
    assert stage.ledger.books().position is not None
    return engine


def exit_that_is_put_off(stage: Stage, practice: Any) -> Any:
    """An engine whose exit the exchange has refused for 40 seconds."""
    engine = bought(stage)
    limit = {"kind": "status", "status": 429, "headers": {"Retry-After": "40"}}
    practice.suffer(endpoint="place_order", exchange=stage.exchange, **limit)
    stage.say(SELL)
    engine.advance()
    return engine


def test_a_round_trip_leaves_books_that_are_the_exchanges(staged):
    stage = staged()
    before = stage.held()
    engine = bought(stage)
    require_equal(stage, before)
    stage.say(SELL)
    stage.run(engine)
    require_equal(stage, before)
    assert rows(stage.database, ORDERS) == ROUND_TRIP


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: " ".join(map(str, fault.values())))
def test_an_order_whose_answer_is_lost_is_found_again_or_sent_again(staged, practice, fault):
    stage = staged()
    before = stage.held()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    for said in (BUY, SELL):
        practice.suffer(endpoint="place_order", exchange=stage.exchange, **fault)
        stage.say(said)
        stage.run(engine, passes=400)  # a ban lasts two minutes
        require_equal(stage, before)
    assert rows(stage.database, ORDERS) == ROUND_TRIP
    assert len(own_ids(stage)) == 2


@pytest.mark.parametrize(
    "endpoint", ["order", "openOrders", "allOrders", "closedOrders", "myTrades", "orderTrades"]
)
def test_questions_that_fail_delay_an_order_and_change_nothing(staged, practice, endpoint):
    stage = staged()
    before = stage.held()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    for said in (BUY, SELL):
        practice.suffer(endpoint="place_order", exchange=stage.exchange, kind="lose_reply")
        for kind in ("drop", "truncate", "html", "cut", "status"):
            practice.suffer(endpoint=endpoint, exchange=stage.exchange, kind=kind)
        stage.say(said)
        stage.run(engine, passes=400)
        practice.ask("faults", "DELETE")
        require_equal(stage, before)
    assert rows(stage.database, ORDERS) == ROUND_TRIP


def test_an_exchange_that_hangs_is_waited_for(staged, practice):
    stage = staged(ccxt={"timeout": 300})
    before = stage.held()
    practice.suffer(endpoint="place_order", exchange=stage.exchange, kind="hang")
    bought(stage)
    require_equal(stage, before)


def test_an_order_for_which_the_money_is_not_there_is_rejected_with_the_reason(staged):
    stage = staged(rules=replace(RULES, stake=Decimal(5_000)), spend=Decimal(97_000))
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    stage.say(BUY)
    stage.run(engine)
    ((status, failure),) = rows(stage.database, "SELECT status, failure FROM orders")
    assert status == "rejected"
    assert "InsufficientFunds" in str(failure)
    assert stage.ledger.books().cash == Decimal(10_000)


def test_a_limit_order_that_is_filled_in_part_is_taken_back_and_its_part_is_held(staged):
    rules = replace(RULES, stake=Decimal(9_500), order_type=OrderType.LIMIT)
    stage = staged(rules=rules, order_timeout_s=5.0)
    before = stage.held()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    stage.say(BUY, stage.ask_price())
    stage.run(engine)
    ((side, kind, status),) = rows(stage.database, ORDERS)
    assert (side, kind) == ("buy", "limit")
    assert status in {"canceled", "filled"}
    require_equal(stage, before)


def test_a_limit_exit_that_is_not_filled_is_taken_back_and_sold_at_the_market(staged):
    stage = staged(order_timeout_s=5.0)
    before = stage.held()
    bought(stage)
    stage.with_rules(order_type=OrderType.LIMIT)
    engine = stage.start()
    stage.say(SELL, round(stage.price() * 1.05, 2))
    stage.run(engine)
    stage.tick(stage.price())
    stage.run(engine)
    require_equal(stage, before)
    assert rows(stage.database, ORDERS)[1:] == [
        ("sell", "limit", "canceled"),
        ("sell", "market", "filled"),
    ]


def test_a_key_that_is_revoked_delays_an_exit_until_it_is_back(staged, practice):
    stage = staged()
    before = stage.held()
    engine = bought(stage)
    practice.ask(f"keys/{stage.credentials['apiKey']}", "DELETE")
    stage.say(SELL)
    progress = [advanced(stage, engine) for _ in range(60)][-1]
    assert stage.ledger.books().position is not None
    practice.ask(f"keys/{stage.credentials['apiKey']}", "PUT")
    stage.tick(stage.price())
    stage.run(engine, passes=1500)
    require_equal(stage, before)
    assert stage.ledger.books().position is None
    assert progress.state == "running"


def advanced(stage: Stage, engine: Any) -> Any:
    stage.seconds.passed += 0.5
    return engine.advance()


def test_a_stop_loss_sells_at_the_exchange(staged):
    stage = staged(rules=replace(RULES, stop_loss=Decimal("0.05")))
    before = stage.held()
    engine = bought(stage)
    stage.tick(stage.price() * 0.9)
    stage.run(engine)
    require_equal(stage, before)
    assert rows(stage.database, "SELECT purpose, status FROM orders WHERE side = 'sell'") == [
        ("stop-loss", "filled")
    ]


def test_a_balance_below_the_books_halts_the_strategy_which_sells_nothing(staged):
    stage = staged()
    bought(stage)
    position = stage.ledger.books().position
    assert position is not None
    stage.sell_by_hand(position.amount / 2)
    count = len(own_ids(stage))
    engine = stage.start()
    stage.say(SELL)
    stage.run(engine)
    control = Controls(stage.database).of(ID, 0)
    assert control.state is ControlState.HALTED
    assert control.reason.startswith(f"not reconciled: expected {position.amount:f} BTC")
    assert len(own_ids(stage)) == count
    assert rows(stage.database, "SELECT level, kind FROM events") == [("error", "halted")]


def test_an_open_order_that_no_books_have_halts_the_strategy(staged):
    stage = staged()
    stage.order_by_hand("cw0123456789abcdef")
    engine = stage.start()
    stage.say(BUY)
    stage.run(engine)
    reason = Controls(stage.database).of(ID, 0).reason
    assert reason == "not reconciled: open orders that no books have: cw0123456789abcdef"


def test_an_order_that_rests_though_its_books_say_it_ended_halts_the_strategy(staged):
    stage = staged()
    engine = bought(stage)
    stage.run(engine)
    with stage.database.write() as connection:
        connection.execute(sa.text("UPDATE orders SET client_order_id = 'cw0123456789abcdef'"))
    stage.order_by_hand("cw0123456789abcdef")
    stage.run(stage.start())
    reason = Controls(stage.database).of(ID, 0).reason
    assert reason == "not reconciled: open orders that no books have: cw0123456789abcdef"


def test_an_order_that_was_not_sent_before_a_halt_is_not_sent_after_it(staged):
    countdown = Countdown(10**9)
    stage = staged(wrap_account=lambda account: Deadly(account, countdown, ("place",)))
    bought(stage)
    countdown.left = 1
    stage.say(SELL)
    engine = stage.start()
    with pytest.raises(Killed):
        stage.run(engine)
    Controls(stage.database).set(ID, Control(ControlState.HALTED, "news"))
    stage.run(stage.start(), passes=300)
    assert len(own_ids(stage)) == 1
    Controls(stage.database).set(ID, Control())
    stage.tick(stage.price())
    stage.run(stage.start())
    assert rows(stage.database, ORDERS) == [
        ("buy", "market", "filled"),
        ("sell", "market", "rejected"),
        ("sell", "market", "filled"),
    ]


def test_an_acknowledgement_that_could_not_be_written_is_no_second_order(staged):
    class Locked:
        """A journal whose first write of an outcome fails."""

        failures = 1

        def __init__(self, ledger: Any) -> None:
            self._ledger = ledger

        def __getattr__(self, name: str) -> Any:
            if name == "record_outcome" and Locked.failures:
                Locked.failures -= 1
                raise DatabaseLocked("busy")
            return getattr(self._ledger, name)

    stage = staged(wrap_journal=Locked)
    before = stage.held()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    stage.say(BUY)
    with pytest.raises(DatabaseLocked):
        stage.run(engine)
    engine.reload()
    stage.run(engine)
    require_equal(stage, before)
    assert len(own_ids(stage)) == 1


def test_an_order_is_settled_at_once_under_the_exchanges_limit_of_calls(staged):
    stage = staged(ccxt={"enableRateLimit": True})
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    began = time.monotonic()
    stage.say(BUY)
    stage.run(engine)
    assert time.monotonic() - began < 3
    assert rows(stage.database, ORDERS) == ROUND_TRIP[:1]


def test_an_exchange_that_is_asked_too_often_is_not_asked_again_before_it_says(staged, practice):
    stage = staged()
    engine = exit_that_is_put_off(stage, practice)
    calls = practice.ask("calls")
    stage.seconds.passed += 39.0
    engine.advance()
    assert practice.ask("calls") == calls
    stage.seconds.passed += 1.5
    stage.run(engine)
    assert rows(stage.database, ORDERS) == ROUND_TRIP


def test_an_entry_that_has_waited_for_too_long_to_be_sent_is_not_sent(staged):
    stage = staged()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    stage.say(BUY)
    engine.advance()  # looks for it at the exchange, since it is the first one
    later = stage.practice.now_ms() + 3 * 3_600_000
    Exchanges(stage.database).record_clock(stage.exchange, MarketClock(later, wall_now()))
    stage.run(engine)
    assert own_ids(stage) == []
    ((status, failure),) = rows(stage.database, "SELECT status, failure FROM orders")
    assert status == "canceled"
    assert re.fullmatch(r"not sent: it is 10\d{3} s old", str(failure))


NO_TRADES = {
    "binance": [{"id": 1, "orderId": 1, "price": "1", "qty": "1", "isBuyer": True}],
    "coinbase": {"fills": [{"trade_id": "1", "product_id": "BTC-USD", "price": "1", "size": "1"}]},
    "kraken": {"error": [], "result": {"T1": {"pair": "XXBTZUSD", "price": "1", "vol": "1"}}},
}


def test_trades_that_cannot_be_are_asked_for_again(staged, practice):
    stage = staged()
    before = stage.held()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    for endpoint in ("myTrades", "orderTrades"):
        body = NO_TRADES[stage.exchange]
        practice.suffer(endpoint=endpoint, exchange=stage.exchange, kind="body", body=body)
    stage.say(BUY)
    stage.run(engine)
    require_equal(stage, before)
