"""The process is killed at every step of the life of an order, at each exchange.

After the restart there is no second order at the exchange and none is forgotten, and the books are the
exchange's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.trader.running import rows
from tests.trader_live.deadly import Countdown, Deadly, Killed
from tests.trader_live.stage import BALANCE, BUY, HOLD, SELL

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage

CALLS = ("place", "find", "look", "trades", "cancel", "held", "open_client")
STEPS = 34  # of a round trip, as many as any exchange has; the last ones strike nowhere


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_kill_at_any_step_of_a_round_trip_loses_and_doubles_nothing(staged, step):
    countdown = Countdown(step)
    stage = staged(
        wrap_account=lambda account: Deadly(account, countdown, CALLS),
        wrap_journal=lambda ledger: Deadly(ledger, countdown, ("record_",)),
    )
    before = stage.held()
    live(stage, [HOLD, BUY, SELL], countdown)
    books = stage.ledger.books()
    base, quote = stage.held()
    assert books.position is None, countdown.what
    assert quote - before[1] == books.cash - BALANCE, countdown.what
    assert base == dust(stage), countdown.what
    written = rows(
        stage.database, "SELECT client_order_id, side, status FROM orders ORDER BY order_id"
    )
    sides = [side for _, side, status in written if status == "filled"]
    assert sides == ["buy", "sell"], (countdown.what, written)
    assert sorted(own_ids(stage)) == sorted(str(name) for name, _, _ in written if name), written


def live(stage: Stage, story: list[float], countdown: Countdown) -> None:
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
    assert countdown.has_struck or countdown.left > 0


def dust(stage: Stage) -> Decimal:
    return sum(
        (Decimal(str(row[0])) for row in rows(stage.database, "SELECT dust FROM positions")),
        Decimal(0),
    )


def own_ids(stage: Stage) -> list[str]:
    """The own ids of all orders of the account, as the exchange tells them."""

    async def ask(client: Any) -> list[str]:
        if stage.exchange == "kraken":
            found = await client.fetch_open_orders(stage.symbol)
            found += await client.fetch_closed_orders(stage.symbol)
        else:
            found = await client.fetch_orders(stage.symbol)
        return [order["clientOrderId"] for order in found]

    told: list[str] = stage.ask(ask)
    return told
