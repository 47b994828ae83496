"""Orders in doubt at Coinbase, which has no look-up by an order's own id and takes what was signed long ago."""

from __future__ import annotations

import pytest

import trader.brokers.live.ways as ways_module
from common.controls import Control, Controls, ControlState
from tests.trader.running import rows
from tests.trader_live.comparing import own_ids, require_equal
from tests.trader_live.deadly import Countdown, Deadly, killed_while_it_sent_an_order
from tests.trader_live.stage import ID


@pytest.fixture(params=["coinbase"])
def exchange(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_order_is_found_behind_any_number_of_later_ones(staged, monkeypatch):
    monkeypatch.setattr(ways_module, "_MOST_ORDERS", 2)
    countdown = Countdown(10**9)
    stage = staged(wrap_account=lambda account: Deadly(account, countdown, ("place",)))
    before = stage.held()
    killed_while_it_sent_an_order(stage, countdown, 2)
    for number in range(5):
        stage.order_by_hand(f"another-{number}")
    Controls(stage.database).set(ID, Control(ControlState.HALTED, "news"))
    stage.run(stage.start(), passes=300)
    assert rows(stage.database, "SELECT status FROM orders") == [("filled",)]
    assert stage.held()[0] - before[0] == stage.ledger.books().position.amount
    assert len(own_ids(stage)) == 6


def test_an_order_is_given_up_only_when_the_exchange_would_not_take_it_any_more(staged):
    countdown = Countdown(10**9)
    stage = staged(wrap_account=lambda account: Deadly(account, countdown, ("place",)))
    killed_while_it_sent_an_order(stage, countdown, 1)
    Controls(stage.database).set(ID, Control(ControlState.HALTED, "news"))
    engine, began = stage.start(), stage.seconds.passed
    stage.run(engine, passes=300)
    assert rows(stage.database, "SELECT status FROM orders") == [("rejected",)]
    assert stage.seconds.passed - began > 120  # a token of Coinbase's is valid for so long


def test_an_order_that_may_still_come_is_sent_again_since_there_the_second_is_the_first(staged):
    countdown = Countdown(10**9)
    stage = staged(wrap_account=lambda account: Deadly(account, countdown, ("place",)))
    before = stage.held()
    killed_while_it_sent_an_order(stage, countdown, 1)
    engine, began = stage.start(), stage.seconds.passed
    stage.run(engine)
    assert stage.seconds.passed - began < 20
    require_equal(stage, before)
