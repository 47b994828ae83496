"""The laws of the books, whatever the fees are paid in and however an order is filled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trader.fills import booked
from trader.core.books import Books, Settlement
from trader.core.money import ZERO, exactly
from trader.core.order import Order, OrderStatus, Side
from trader.core.outcome import Outcome
from trader.core.rules import MarketRules
from trader.core.trade import Trade

START = Decimal(1_000_000)
MARKET = MarketRules(Decimal("0.001"), Decimal("0.002"), Decimal(5))
SYMBOL = "BTC/USDT"


def trade(side: Side, amount: str, price: str, fee: str = "0", **more: object) -> Trade:
    return Trade("1", SYMBOL, side, Decimal(amount), Decimal(price), Decimal(fee), 7, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Step:
    """One order: which share of what could be traded is, in how many trades, with fees in which currency."""

    share: float
    parts: int
    paid_in: str | None
    is_canceled: bool
    price: Decimal


steps = st.lists(
    st.builds(
        Step,
        share=st.floats(0.05, 1),
        parts=st.integers(1, 4),
        paid_in=st.sampled_from([None, "USDT", "BTC", "BNB"]),
        is_canceled=st.booleans(),
        price=st.decimals("0.5", 90_000, places=4),
    ),
    min_size=1,
    max_size=25,
)


def played(story: list[Step]) -> list[Settlement]:
    """Settlements of orders in turn: buys while nothing is held, else sells, as a trader makes them."""
    books, settlements = Books(START), []
    for number, step in enumerate(story):
        side = Side.BUY if books.position is None else Side.SELL
        most = Decimal(10) if books.position is None else books.position.amount
        amount = MARKET.tradable(most * Decimal(str(step.share)))
        paid_in = step.paid_in if side is Side.BUY or step.paid_in != "BTC" else None
        if not amount:
            continue
        order = Order(f"cw{number}", SYMBOL, side, amount, f"because {number}", number, number)
        part = MARKET.tradable(amount / step.parts) or amount
        fee = part * (1 if paid_in == "BTC" else step.price) * Decimal("0.001")
        value = fee * 3 if paid_in == "BNB" else None
        trades = tuple(
            Trade(f"{number}-{at}", SYMBOL, side, part, step.price, fee, number, paid_in, value)
            for at in range(max(1, step.parts - step.is_canceled))
            if part * (at + 1) <= amount
        )
        status = OrderStatus.CANCELED if step.is_canceled else OrderStatus.FILLED
        settlement = books.ordered(order).settled(
            Outcome(status, trades), market=MARKET, now=number
        )
        settlements.append(settlement)
        books = settlement.books
    return settlements


@given(steps)
def test_cash_and_what_is_held_are_the_starting_balance_and_all_profit(story):
    realised = ZERO
    for settlement in played(story):
        position, held = settlement.position, settlement.books.position
        with exactly():
            if position is not None and position.closed_at is not None:
                realised += position.realised_profit
            open_profit, cost = (
                (held.realised_profit, held.entry_cost) if held is not None else (ZERO, ZERO)
            )
            assert settlement.books.cash + cost == START + realised + open_profit


@given(steps)
def test_what_is_held_and_the_dust_are_the_sum_of_the_trades(story):
    held = dust = ZERO
    for settlement in played(story):
        with exactly():
            held += sum((made.base_change for made, _ in settlement.booked), ZERO)
            if settlement.position is not None:
                dust += settlement.position.dust
            position = settlement.books.position
            assert held - dust == (position.amount if position else ZERO)


@given(steps)
def test_the_fees_of_the_positions_are_those_of_the_trades_in_quote_currency(story):
    fees = paid = ZERO
    settlements = played(story)
    with exactly():
        for settlement in settlements:
            paid += sum((made.fee_cost for made, _ in settlement.booked), ZERO)
            position = settlement.position
            if position is not None and position.closed_at is not None:
                fees += position.fees
        last = settlements[-1].books.position if settlements else None
        assert fees + (last.fees if last else ZERO) == paid


@given(steps)
def test_no_position_is_left_that_can_never_be_sold(story):
    for settlement in played(story):
        position = settlement.books.position
        if position is not None and settlement.booked and settlement.booked[0][0].side is Side.SELL:
            assert not MARKET.is_dust(position.amount, settlement.booked[-1][0].price)


def test_a_fee_in_base_currency_makes_what_is_held_smaller_and_is_inside_the_average():
    settlement = booked(Books(START), trade(Side.BUY, "0.1", "50000", "0.0001", paid_in="BTC"))
    position = settlement.books.position
    assert position is not None
    assert settlement.books.cash == START - 5000
    assert (position.amount, position.entry_cost) == (Decimal("0.0999"), Decimal(5000))
    assert position.fees == Decimal(5)
    assert position.average_entry == Decimal("50050.05005005005005005")


def test_a_fee_in_a_third_currency_costs_what_it_was_worth():
    bought = booked(
        Books(START), trade(Side.BUY, "1", "100", "0.2", paid_in="BNB", fee_value=Decimal("60"))
    )
    assert bought.books.cash == START - 160
    sold = booked(
        bought.books, trade(Side.SELL, "1", "300", "0.1", paid_in="BNB", fee_value=Decimal("30"))
    )
    assert sold.books.cash == START + 110
    assert sold.booked[0][1] == Decimal(110)


def test_a_fee_in_a_third_currency_needs_its_value():
    with pytest.raises(ValueError, match="expected what a fee in BNB is worth"):
        trade(Side.BUY, "1", "100", "0.2", paid_in="BNB")


def test_what_a_sell_leaves_below_the_markets_least_is_written_off_as_a_loss():
    bought = booked(Books(START), trade(Side.BUY, "0.1", "50000", "0.00005", paid_in="BTC"))
    sold = booked(bought.books, trade(Side.SELL, "0.099", "50000"), "target", MARKET)
    position = sold.position
    assert position is not None
    assert sold.books.position is None
    assert (position.dust, position.amount) == (Decimal("0.00095"), ZERO)
    assert (position.closed_at, position.exit_reason) == (7, "target")
    assert position.realised_profit == Decimal(-50)
    assert sold.books.cash == START - 50


def test_an_order_is_filled_in_parts_and_knows_what_remains():
    order = Order("cw1", SYMBOL, Side.BUY, Decimal(3), "", 0, 0)
    books = Books(START).ordered(order)
    part = Trade("a", SYMBOL, Side.BUY, Decimal(1), Decimal(10), ZERO, 1)
    some = books.settled(Outcome(OrderStatus.OPEN, (part,)), market=MARKET, now=1).books
    assert some.pending is not None
    assert (some.pending.remaining, some.pending.traded) == (Decimal(2), frozenset({"a"}))
    with pytest.raises(ValueError, match="expected a new trade"):
        some.settled(Outcome(OrderStatus.OPEN, (part,)), market=MARKET, now=1)
    rest = Trade("b", SYMBOL, Side.BUY, Decimal(2), Decimal(13), ZERO, 2)
    done = some.settled(Outcome(OrderStatus.FILLED, (rest,)), market=MARKET, now=2).books
    assert done.pending is None
    assert done.position is not None
    assert (done.position.amount, done.position.average_entry) == (Decimal(3), Decimal(12))


def test_an_exit_that_was_canceled_half_way_is_to_be_tried_again():
    bought = booked(Books(START), trade(Side.BUY, "4", "10")).books
    order = Order("cw1", SYMBOL, Side.SELL, Decimal(4), "overbought", 0, 0)
    part = Trade("a", SYMBOL, Side.SELL, Decimal(1), Decimal(11), ZERO, 1)
    books = (
        bought.ordered(order)
        .settled(Outcome(OrderStatus.CANCELED, (part,)), market=MARKET, now=1)
        .books
    )
    assert books.position is not None
    assert books.exiting is not None
    assert (books.position.amount, books.failed_exits) == (Decimal(3), 1)
    assert (books.exiting.client_order_id, books.exiting.filled) == ("cw1", Decimal(1))
    ended = booked(books, Trade("b", SYMBOL, Side.SELL, Decimal(3), Decimal(11), ZERO, 2)).books
    assert (ended.position, ended.exiting, ended.failed_exits) == (None, None, 0)
