"""The ledger: what it writes is what it reads, it is one strategy's alone, and it takes nothing twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from common.registry import Registration, Registry
from tests.trader.market import NOON, TestMarket
from tests.trader.running import count, rows
from tests.trader.stage import BALANCE, ID, register
from trader.core.books import Books
from trader.core.order import Order, OrderStatus, Side
from trader.core.signal import Signal, SignalKind
from trader.core.trade import Trade
from trader.ledger import Ledger
from trader.roles import Outcome


@pytest.fixture
def ledger(market: TestMarket) -> Ledger:
    register(market)
    return Ledger(market.database, ID, BALANCE)


def order(name: str, side: Side, amount: str = "0.300000000000000001") -> Order:
    return Order(name, "BTC/USDT", side, Decimal(amount), f"because {name}", NOON, NOON + 5)


def trade(of: Order, price: str, fee: str, at: int) -> Trade:
    return Trade(
        f"paper-{of.client_order_id}-1",
        of.symbol,
        of.side,
        of.amount,
        Decimal(price),
        Decimal(fee),
        at,
    )


def fill(
    ledger: Ledger, books: Books, of: Order, price: str, *, fee: str = "0", at: int = NOON
) -> Books:
    """Writes an order and the trade that fills it; the books that follow."""
    ledger.record_order(of)
    assert ledger.books() == books.ordered(of)
    made = trade(of, price, fee, at)
    settlement = books.ordered(of).filled(made, of.reason)
    ledger.record_fill(of, made, settlement)
    return settlement.books


def test_the_books_read_back_equal_after_every_write(ledger):
    books = ledger.books()
    assert books == Books(BALANCE)
    for number in range(3):
        at = NOON + 1000 * number
        books = fill(
            ledger,
            books,
            order(f"in{number}", Side.BUY),
            "100.000000000000000003",
            fee="0.1",
            at=at,
        )
        assert ledger.books() == books
        books = fill(
            ledger, books, order(f"out{number}", Side.SELL), "99.123456789", fee="0.07", at=at + 1
        )
        assert ledger.books() == books
    assert books.position is None


def test_exits_that_came_to_nothing_are_counted_for_the_open_position_alone(ledger):
    fill(ledger, ledger.books(), order("in", Side.BUY), "100")
    for number in (1, 2):
        failed = order(f"out{number}", Side.SELL)
        ledger.record_order(failed)
        ledger.record_failure(failed, Outcome.rejected("no"))
        assert ledger.books().failed_exits == number
    books = fill(ledger, ledger.books(), order("out", Side.SELL), "100", at=NOON + 6)
    assert ledger.books() == books
    assert books.failed_exits == 0


def test_a_failed_order_is_kept_with_both_reasons(ledger, market):
    failed = order("in", Side.BUY)
    ledger.record_order(failed)
    ledger.record_failure(failed, Outcome(OrderStatus.CANCELED, reason="too late"))
    assert ledger.books() == Books(BALANCE)
    assert rows(market.database, "SELECT status, reason FROM orders") == [
        ("canceled", "because in; canceled: too late")
    ]


def test_an_order_is_filled_once(ledger, market):
    once = order("in", Side.BUY)
    fill(ledger, ledger.books(), once, "100")
    made = trade(once, "100", "0", NOON)
    with pytest.raises(sa.exc.NoResultFound):
        ledger.record_fill(once, made, Books(BALANCE).filled(made, ""))
    assert count(market.database, "trades") == 1


def test_a_candle_has_one_signal_and_an_id_one_order(ledger, market):
    signal = Signal(SignalKind.HOLD, NOON, 100.0, "calm", {"rsi": None})
    ledger.record_signals([(signal, "no trade: signal is hold")])
    with pytest.raises(sa.exc.IntegrityError):
        ledger.record_signals([(signal, "again")], order("in", Side.BUY))
    assert count(market.database, "orders") == 0
    ledger.record_order(order("in", Side.BUY))
    with pytest.raises(sa.exc.IntegrityError):
        ledger.record_order(order("in", Side.BUY))


def test_another_strategys_rows_are_out_of_reach(ledger, market):
    Registry(market.database).register(
        Registration("b", market.partition, "rsi", None, "paper", {}, 1, Decimal(7))
    )
    other = Ledger(market.database, "b", Decimal(7))
    fill(ledger, ledger.books(), order("in", Side.BUY), "100")
    pending = order("out", Side.SELL)
    ledger.record_order(pending)
    ledger.record_signals([(Signal(SignalKind.HOLD, NOON, 100.0, "calm"), "no trade")])
    assert other.books() == Books(Decimal(7))
    assert other.last_signal() is None
    with pytest.raises(sa.exc.NoResultFound):
        other.record_failure(pending, Outcome.rejected("not yours"))
    assert ledger.books().pending == replace(pending)
