"""The books: exact, and the same however they are arrived at."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trader.fills import booked
from trader.core.books import Books
from trader.core.money import ZERO, exactly
from trader.core.order import Side
from trader.core.position import Position
from trader.core.trade import Trade

START = Decimal(100_000)


def trade(
    side: Side, amount: str | Decimal, price: str | Decimal, fee_rate: str = "0.0025"
) -> Trade:
    made = Trade("1", "BTC/USDT", side, Decimal(amount), Decimal(price), ZERO, 1)
    with exactly():
        return replace(made, fee=made.cost * Decimal(fee_rate))


def buy(amount: str, price: str) -> Trade:
    return trade(Side.BUY, amount, price)


def sell(amount: str, price: str) -> Trade:
    return trade(Side.SELL, amount, price)


@st.composite
def fills(draw: st.DrawFn) -> list[Trade]:
    """Buys and sells in any order, of which none sells more than is held."""
    amounts = st.decimals("0.00000001", 10_000, places=8)
    prices = st.decimals("0.00000001", 200_000, places=8)
    rate = draw(st.sampled_from(["0", "0.001", "0.0025", "0.00075"]))
    held, made = ZERO, []
    for _ in range(draw(st.integers(1, 25))):
        side = draw(st.sampled_from(Side)) if held else Side.BUY
        if side is Side.BUY:
            amount = draw(amounts)
            held += amount
        else:
            amount = draw(st.one_of(st.just(held), st.decimals("0.00000001", held, places=8)))
            held -= amount
        made.append(trade(side, amount, draw(prices), rate))
    return made


def test_the_worked_case_is_exact():
    trades = [
        buy("100", "10"),
        buy("100", "15"),
        sell("50", "12"),
        sell("100", "20"),
        sell("50", "5"),
    ]
    position = Position("BTC/USDT", opened_at=1)
    positions = [position := position.after(trade) for trade in trades]
    realised = [
        after.realised_profit - before.realised_profit for before, after in pairwise(positions)
    ]
    assert realised == [ZERO, Decimal("-28.0625"), Decimal("741.875"), Decimal("-377.1875")]
    assert positions[1].average_entry == Decimal("12.53125")
    assert positions[-1].realised_profit == Decimal("336.625")
    assert positions[-1].fees == Decimal("13.375")


@given(fills())
def test_a_position_holds_the_sum_of_its_trades_and_nothing_is_left_when_it_closes(trades):
    books, held = Books(START), ZERO
    for made in trades:
        books = booked(books, made).books
        held += made.amount if made.side is Side.BUY else -made.amount
        assert held == (books.position.amount if books.position else ZERO)
    rest = books.position
    if rest is not None:
        closed = rest.after(trade(Side.SELL, rest.amount, "1"), "end")
        assert (closed.amount, closed.entry_cost, closed.closed_at) == (ZERO, ZERO, 1)


@given(fills())
def test_cash_and_entry_cost_are_starting_balance_and_realised_profit_after_every_trade(trades):
    books, realised = Books(START), ZERO
    for made in trades:
        settlement = booked(books, made)
        books = settlement.books
        with exactly():
            realised += settlement.booked[0][1]
            held = books.position.entry_cost if books.position else ZERO
            assert books.cash + held == START + realised


@given(fills())
def test_cash_is_what_the_trades_moved_fees_inside(trades):
    books = reduce(lambda books, made: booked(books, made).books, trades, Books(START))
    with exactly():
        moved = sum(
            (t.cost * (1 if t.side is Side.SELL else -1) - t.fee for t in trades), start=ZERO
        )
        assert books.cash == START + moved


@given(fills())
def test_the_fees_of_all_positions_are_the_fees_of_all_trades(trades):
    books, fees = Books(START), ZERO
    for made in trades:
        settlement = booked(books, made)
        books = settlement.books
        assert settlement.position is not None
        if settlement.position.closed_at is not None:
            fees += settlement.position.fees
    with exactly():
        assert fees + (books.position.fees if books.position else ZERO) == sum(
            t.fee for t in trades
        )


@pytest.mark.parametrize(
    "wrong",
    [sell("1.00000001", "10"), replace(sell("1", "10"), symbol="ETH/USDT")],
    ids=["more than is held", "another symbol"],
)
def test_a_position_refuses_a_trade_that_cannot_be_its_own(wrong):
    with pytest.raises(ValueError, match="position: expected"):
        Position("BTC/USDT", opened_at=1).after(buy("1", "10")).after(wrong)


def test_a_closed_position_takes_no_more_trades():
    closed = Position("BTC/USDT", opened_at=1).after(buy("1", "10")).after(sell("1", "11"), "done")
    assert closed.exit_reason == "done"
    with pytest.raises(ValueError, match="expected a trade of the open BTC/USDT"):
        closed.after(buy("1", "10"))
