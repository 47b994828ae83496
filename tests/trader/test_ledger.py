"""The ledger: what it writes is what it reads, it is one strategy's alone, and it takes nothing twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from common.controls import Controls, ControlState
from common.registry import Registration, Registry
from tests.trader.market import NOON, TestMarket
from tests.trader.running import count, rows
from tests.trader.stage import BALANCE, ID, register
from trader.core.books import Books
from trader.core.equity import Marks, Reached
from trader.core.order import Order, OrderStatus, Side
from trader.core.outcome import Outcome
from trader.core.rules import MarketRules
from trader.core.signal import Signal, SignalKind
from trader.core.trade import Trade
from trader.ledger import Ledger
from trader.roles import Evaluated

MARKET = MarketRules()


@pytest.fixture
def ledger(market: TestMarket) -> Ledger:
    register(market)
    return Ledger(market.database, ID, BALANCE)


def order(name: str, side: Side, amount: str = "0.300000000000000001") -> Order:
    return Order(name, "BTC/USDT", side, Decimal(amount), f"because {name}", NOON, NOON + 5)


def trade(of: Order, price: str, fee: str, at: int, amount: Decimal | None = None) -> Trade:
    return Trade(
        f"paper-{of.client_order_id}-{at}",
        of.symbol,
        of.side,
        amount or of.amount,
        Decimal(price),
        Decimal(fee),
        at,
    )


def tell(ledger: Ledger, outcome: Outcome) -> Books:
    """Writes news of the pending order; the books that follow."""
    books = ledger.books()
    assert books.pending is not None
    settlement = books.settled(outcome, market=MARKET, now=NOON)
    ledger.record_outcome(books.pending, outcome, settlement)
    assert ledger.books() == settlement.books
    return settlement.books


def fill(ledger: Ledger, of: Order, price: str, *, fee: str = "0", at: int = NOON) -> Books:
    """Writes an order and the trade that fills it; the books that follow."""
    books = ledger.books()
    ledger.record_order(of)
    assert ledger.books() == books.ordered(of)
    return tell(ledger, Outcome.filled(trade(of, price, fee, at)))


def evaluated(decision: str, timestamp: int = NOON, equity: Decimal = BALANCE) -> Evaluated:
    signal = Signal(SignalKind.HOLD, timestamp, 100.0, "calm", {"rsi": None})
    marks = Marks.first(BALANCE).after(timestamp + 3_600_000, equity)
    return Evaluated(signal, decision, marks)


def test_the_books_read_back_equal_after_every_write(ledger):
    assert ledger.books() == Books(BALANCE)
    for number in range(3):
        at = NOON + 1000 * number
        fill(ledger, order(f"in{number}", Side.BUY), "100.000000000000000003", fee="0.1", at=at)
        books = fill(
            ledger, order(f"out{number}", Side.SELL), "99.123456789", fee="0.07", at=at + 1
        )
    assert books.position is None
    assert books.last_closed is not None
    assert books.last_closed.at == at + 1


def test_an_order_that_is_filled_in_parts_reads_back_with_what_remains(ledger, market):
    bought = order("in", Side.BUY, "0.3")
    ledger.record_order(bought)
    tell(ledger, Outcome(OrderStatus.OPEN, exchange_order_id="4711"))
    first = trade(bought, "100", "0.0001", NOON, Decimal("0.1"))
    in_base = replace(first, paid_in="BTC")
    books = tell(ledger, Outcome(OrderStatus.OPEN, (in_base,)))
    assert books.pending is not None
    assert (books.pending.exchange_order_id, books.pending.remaining) == ("4711", Decimal("0.2"))
    in_third = replace(
        trade(bought, "101", "0.01", NOON + 1, Decimal("0.1")), paid_in="BNB", fee_value=Decimal(6)
    )
    books = tell(ledger, Outcome(OrderStatus.CANCELED, (in_third,), "too slow"))
    assert books.position is not None
    assert books.position.amount == Decimal("0.1999")
    assert rows(market.database, "SELECT status, reason, failure FROM orders") == [
        ("canceled", "because in", "too slow")
    ]
    assert rows(market.database, "SELECT fee, fee_currency, fee_cost FROM trades") == [
        ("0.0001", "BTC", "0.01"),
        ("0.01", "BNB", "6"),
    ]


def test_exits_that_came_to_nothing_are_counted_for_the_open_position_alone(ledger):
    fill(ledger, order("in", Side.BUY), "100")
    for number in (1, 2):
        failed = order(f"out{number}", Side.SELL)
        ledger.record_order(failed)
        books = tell(ledger, Outcome.rejected("no"))
        assert books.failed_exits == number
        assert books.exiting is not None
        assert books.exiting.client_order_id == f"out{number}"
    books = fill(ledger, order("out", Side.SELL), "100", at=NOON + 6)
    assert (books.failed_exits, books.exiting) == (0, None)


def test_what_is_written_off_reads_back_closed_with_its_dust(ledger, market):
    fill(ledger, order("in", Side.BUY, "0.3"), "100")
    settlement = ledger.books().written_off(NOON + 9, "too little to sell")
    assert settlement.position is not None
    ledger.record_write_off(settlement.position)
    assert ledger.books() == settlement.books
    assert rows(market.database, "SELECT status, dust, realised_profit FROM positions") == [
        ("closed", "0.3", "-30")
    ]


def test_a_failed_order_is_kept_with_both_reasons(ledger, market):
    ledger.record_order(order("in", Side.BUY))
    assert tell(ledger, Outcome.canceled("too late")) == Books(BALANCE)
    assert rows(market.database, "SELECT status, reason, failure FROM orders") == [
        ("canceled", "because in", "too late")
    ]


def test_an_order_is_filled_once(ledger, market):
    once = order("in", Side.BUY)
    fill(ledger, once, "100")
    outcome = Outcome.filled(trade(once, "100", "0", NOON))
    again = Books(BALANCE).ordered(once)
    settlement = again.settled(outcome, market=MARKET, now=NOON)
    with pytest.raises(sa.exc.NoResultFound):
        ledger.record_outcome(once, outcome, settlement)
    assert count(market.database, "trades") == 1


def test_a_trade_is_booked_once(ledger, market):
    ledger.record_order(order("in", Side.BUY, "2"))
    books = ledger.books()
    assert books.pending is not None
    part = trade(books.pending, "100", "0", NOON, Decimal(1))
    outcome = Outcome(OrderStatus.OPEN, (part,))
    tell(ledger, outcome)
    settlement = books.settled(outcome, market=MARKET, now=NOON)
    with pytest.raises(sa.exc.IntegrityError):
        ledger.record_outcome(books.pending, outcome, settlement)
    assert count(market.database, "trades") == 1


def test_a_candle_has_one_signal_and_an_id_one_order(ledger, market):
    ledger.record_signals([evaluated("no trade: signal is hold")])
    with pytest.raises(sa.exc.IntegrityError):
        ledger.record_signals([evaluated("again")], order("in", Side.BUY))
    assert count(market.database, "orders") == 0
    ledger.record_order(order("in", Side.BUY))
    with pytest.raises(sa.exc.IntegrityError):
        ledger.record_order(order("in", Side.BUY))


def test_the_marks_of_the_equity_read_back_equal(ledger):
    assert ledger.marks() == Marks.first(BALANCE)
    last = evaluated("no trade", NOON + 3_600_000, Decimal("999.999999999999999999"))
    ledger.record_signals([evaluated("no trade"), last])
    assert ledger.marks() == last.marks


def test_a_limit_that_is_reached_ends_entries_with_the_signal_and_is_an_event(ledger, market):
    reached = Reached("drawdown 20% has reached its limit 10%", None)
    ledger.record_signals([evaluated("no trade")], reached=reached)
    control = Controls(market.database).of(ID, NOON)
    assert (control.state, control.reason) == (ControlState.REDUCE_ONLY, reached.reason)
    assert rows(market.database, "SELECT source, kind, message FROM events") == [
        (ID, "limit_reached", reached.reason)
    ]


def test_what_was_held_at_is_forgotten_in_time_and_all_else_stays(ledger, market):
    hour = 3_600_000
    for at in range(30):
        decision = "buy 1" if at == 2 else "no trade: signal is hold"
        ledger.record_signals([evaluated(decision, NOON + at * hour)])
    assert ledger.forget(NOON + 20 * hour) == 19 + 19
    kept = rows(market.database, "SELECT (timestamp - :noon) / 3600000 FROM signals", noon=NOON)
    assert kept == [(2,), *((at,) for at in range(20, 30))]
    days = rows(market.database, "SELECT (timestamp - :noon) / 3600000 FROM equity", noon=NOON)
    assert days == [(11,), *((at,) for at in range(20, 30))]
    assert ledger.forget(NOON + 20 * hour) == 0


def test_two_strategies_cannot_both_pass_the_cap_of_a_symbol(ledger, market):
    register_other(market)
    cap = Decimal(500)
    one, other = (Ledger(market.database, name, BALANCE, cap) for name in (ID, "b"))
    stakes = [replace(order(name, Side.BUY, "3"), reserved=Decimal(300)) for name in ("x", "y")]
    assert one.record_signals([evaluated("buy 3")], stakes[0]) is None
    why = other.record_signals([evaluated("buy 3")], stakes[1])
    assert why == (
        "all strategies hold 300 of BTC/USDT, with this stake of 300 more than the cap 500"
    )
    assert other.books().pending is None
    assert rows(market.database, "SELECT decision FROM signals WHERE strategy_id = 'b'") == [
        (f"no trade: {why}",)
    ]
    tell(one, Outcome.filled(trade(stakes[0], "60", "0", NOON)))
    assert other.record_signals([evaluated("buy 3", NOON + 1)], stakes[1]) is None


def test_another_strategys_rows_are_out_of_reach(ledger, market):
    register_other(market)
    other = Ledger(market.database, "b", BALANCE)
    fill(ledger, order("in", Side.BUY), "100")
    pending = order("out", Side.SELL)
    ledger.record_order(pending)
    ledger.record_signals([evaluated("no trade")])
    assert other.books() == Books(BALANCE)
    assert other.last_signal() is None
    assert other.marks() == Marks.first(BALANCE)
    assert other.forget(NOON * 2) == 0
    outcome = Outcome.rejected("not yours")
    settlement = ledger.books().settled(outcome, market=MARKET, now=NOON)
    with pytest.raises(sa.exc.NoResultFound):
        other.record_outcome(pending, outcome, settlement)
    assert ledger.books().pending == replace(pending)


def register_other(market: TestMarket) -> None:
    Registry(market.database).register(
        Registration("b", market.partition, "rsi", None, "paper", {}, 1, BALANCE)
    )
