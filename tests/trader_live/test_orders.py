"""The life of a live order at each exchange, without and with trouble."""

from __future__ import annotations

from decimal import Decimal

from tests.trader.running import rows
from tests.trader_live.stage import BALANCE, BUY, HOLD, SELL


def test_a_round_trip_leaves_books_that_are_the_exchanges(staged):
    stage = staged()
    engine = stage.start()
    stage.say(HOLD)
    stage.run(engine)
    before = stage.held()
    stage.say(BUY)
    stage.run(engine)
    position = stage.ledger.books().position
    assert position is not None
    base, quote = stage.held()
    assert base == position.amount
    assert before[1] - quote == BALANCE - stage.ledger.books().cash
    stage.say(SELL)
    stage.run(engine)
    books = stage.ledger.books()
    base, quote = stage.held()
    assert books.position is None
    assert quote - before[1] == books.cash - BALANCE
    dust = rows(stage.database, "SELECT dust FROM positions")[0][0]
    assert base == Decimal(str(dust))
