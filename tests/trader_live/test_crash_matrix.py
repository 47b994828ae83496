"""The process is killed at every step of the life of an order, at each exchange.

After the restart there is no second order at the exchange and none is forgotten, and the books are the
exchange's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.trader.running import rows
from tests.trader_live.comparing import require_equal
from tests.trader_live.deadly import Countdown, Deadly, Killed
from tests.trader_live.stage import BUY, HOLD, SELL

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage

CALLS = ("place", "find", "look", "trades", "cancel", "held", "open_client")
STEPS = 34  # those of a round trip, at most


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_kill_at_any_step_of_a_round_trip_loses_and_doubles_nothing(staged, step):
    countdown = Countdown(step)
    stage = staged(
        wrap_account=lambda account: Deadly(account, countdown, CALLS),
        wrap_journal=lambda ledger: Deadly(ledger, countdown, ("record_",)),
    )
    before = stage.held()
    live(stage, [HOLD, BUY, SELL])
    require_equal(stage, before)
    assert rows(stage.database, "SELECT side, status FROM orders ORDER BY order_id") == [
        ("buy", "filled"),
        ("sell", "filled"),
    ], countdown.what


def test_the_kills_reach_the_last_step_of_a_round_trip(staged):
    countdown = Countdown(10**9)
    stage = staged(
        wrap_account=lambda account: Deadly(account, countdown, CALLS),
        wrap_journal=lambda ledger: Deadly(ledger, countdown, ("record_",)),
    )
    live(stage, [HOLD, BUY, SELL])
    assert 20 <= 10**9 - countdown.left <= STEPS


def live(stage: Stage, story: list[float]) -> None:
    """The candles of a story, one after the other; a killed process is started again."""
    engine: Any = None
    for said in story:
        stage.say(said)
        while True:
            try:
                engine = engine or stage.start()
                stage.run(engine)
            except Killed:
                engine = None
                continue
            break
