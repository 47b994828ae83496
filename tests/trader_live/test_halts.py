"""A halt that comes while the exchange is being asked: what has not been sent by then is not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.controls import Control, Controls, ControlState
from tests.trader.running import rows
from tests.trader_live.comparing import own_ids
from tests.trader_live.deadly import Countdown, Deadly, killed_while_it_sent_an_order
from tests.trader_live.stage import ID
from tests.trader_live.test_orders import exit_that_is_put_off

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage


class Switching:
    """An account that somebody switches the strategy to a state behind, while it is asked for an order."""

    def __init__(self, account: Any, stage: Stage, to: ControlState) -> None:
        self._account = account
        self._stage = stage
        self._to = to

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    def find(self, order: Any) -> Any:
        found = self._account.find(order)
        Controls(self._stage.database).set(ID, Control(self._to, "news"))
        return found


@pytest.mark.parametrize("to", [ControlState.HALTED, ControlState.REDUCE_ONLY])
def test_an_entry_that_was_not_sent_before_a_switch_is_not_sent_while_it_is_looked_for(staged, to):
    countdown = Countdown(10**9)
    stage = staged(wrap_account=lambda account: Deadly(account, countdown, ("place",)))
    killed_while_it_sent_an_order(stage, countdown, 1)
    stage.wrap_account = lambda account: Switching(account, stage, to)
    stage.run(stage.start(), passes=300)
    assert own_ids(stage) == []
    ((status, failure),) = rows(stage.database, "SELECT status, failure FROM orders")
    assert status in {"canceled", "rejected"}
    assert "news" in str(failure)


def test_an_exit_that_waited_through_a_halt_is_not_sent_after_it(staged, practice):
    stage = staged()
    engine = exit_that_is_put_off(stage, practice)
    Controls(stage.database).set(ID, Control(ControlState.HALTED, "news"))
    engine.advance()
    position = stage.ledger.books().position
    assert position is not None
    stage.sell_by_hand(position.amount)
    Controls(stage.database).set(ID, Control())
    stage.seconds.passed += 41.0
    stage.run(engine, passes=400)
    ((status, failure),) = rows(
        stage.database, "SELECT status, failure FROM orders WHERE side = 'sell'"
    )
    assert status in {"canceled", "rejected"}
    assert "decided on before a halt" in str(failure)
    assert Controls(stage.database).of(ID, 0).reason.startswith("not reconciled: expected ")
