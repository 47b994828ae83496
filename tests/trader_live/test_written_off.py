"""A position whose coins somebody sold by hand: a person writes it off, and the strategy goes on."""

from __future__ import annotations

import pytest

from candlewell.__main__ import main
from common.controls import Control, Controls, ControlState
from common.database import path_of
from common.errors import ConfigurationError
from common.instance import Instance
from tests.trader.running import rows
from tests.trader_live.comparing import own_ids
from tests.trader_live.deadly import Countdown, Deadly, killed_while_it_sent_an_order
from tests.trader_live.stage import BALANCE, BUY, ID, SELL
from tests.trader_live.test_orders import bought
from trader.write_off import write_off


def test_it_is_a_loss_and_the_strategy_trades_again(staged, monkeypatch, capsys):
    stage = staged()
    bought(stage)
    position = stage.ledger.books().position
    stage.sell_by_hand(position.amount)
    stage.run(stage.start())
    assert Controls(stage.database).of(ID, 0).state is ControlState.HALTED

    monkeypatch.setenv("DATABASE_URL", stage.url)
    capsys.readouterr()
    assert main(["write-off", ID, "--reason", "sold by hand"]) == 0
    said = f"{ID}: {position.amount:f} BTC written off (sold by hand)\n"
    assert capsys.readouterr().out == said
    books = stage.ledger.books()
    assert books.position is None
    assert books.last_closed.profit == books.cash - BALANCE
    assert rows(stage.database, "SELECT exit_reason, amount FROM positions") == [
        ("by hand: sold by hand", "0")
    ]
    ((level, message),) = rows(
        stage.database, "SELECT level, message FROM events WHERE kind = 'written_off'"
    )
    assert level == "warning"
    assert message == f"{position.amount:f} of {stage.symbol}, by hand: sold by hand"

    Controls(stage.database).set(ID, Control())
    engine = stage.start()
    for what in (BUY, SELL):
        stage.say(what)
        stage.run(engine)
    assert Controls(stage.database).of(ID, 0).state is ControlState.RUNNING
    assert rows(stage.database, "SELECT status FROM orders") == [("filled",)] * 3


def test_nothing_is_written_off_while_the_trader_runs_holds_nothing_or_has_an_order(staged):
    countdown = Countdown(10**9)
    stage = staged(wrap_account=lambda account: Deadly(account, countdown, ("place",)))

    def refused(strategy_id: str = ID) -> str:
        before = rows(stage.database, "SELECT * FROM positions")
        with pytest.raises(ConfigurationError) as raised:
            write_off(stage.database, strategy_id, "x")
        assert rows(stage.database, "SELECT * FROM positions") == before
        return str(raised.value)

    assert refused("liv").startswith("STRATEGY_ID: expected a registered strategy, found 'liv'")
    assert refused() == f"{ID}: expected an open position, found none"
    killed_while_it_sent_an_order(stage, countdown, 1)
    assert own_ids(stage) == []
    assert refused().startswith(f"{ID}: expected no order on its way, found cw")
    running = Instance(path_of(stage.url).parent, ID, key="STRATEGY_ID")
    assert "expected a name that no running process has" in refused()
    running.release()
