"""The corner cases, made by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from common.timeframe import Timeframe
from tests.trader_backtest.histories import BUY, HOLD, HOUR, SELL, START, hourly, run, terms
from trader.backtest.candles import Candles
from trader.backtest.result import Result
from trader.core.order import OrderType

if TYPE_CHECKING:
    from trader.backtest.account import Account

FLAT = (100.0, 100.0, 100.0, 100.0)
BOUGHT = [(*FLAT, BUY), (*FLAT, HOLD)]  # 1 at 100, at the open of the second candle
LAST_MS = HOUR - 1


def fills(account: Account) -> list[tuple[str, Decimal, int]]:
    """Side, price, and time since the start."""
    return [
        (fill.trade.side.value, fill.trade.price, fill.trade.timestamp - START)
        for fill in account.fills
    ]


def exits(account: Account) -> list[tuple[Decimal, int, str]]:
    return [
        (fill.trade.price, fill.trade.timestamp - START, fill.order.reason)
        for fill in account.fills
        if fill.trade.side.value == "sell"
    ]


def test_a_decision_at_a_close_is_filled_at_the_next_candles_open():
    rows = hourly(
        (*FLAT, BUY), (101, 105, 99, 104, HOLD), (104, 110, 104, 108, SELL), (*FLAT, HOLD)
    )
    assert fills(run(rows, terms())) == [
        ("buy", Decimal(101), HOUR),
        ("sell", Decimal(100), 3 * HOUR),
    ]


def test_slippage_is_against_you_and_so_is_the_markets_price_step():
    rows = hourly((*FLAT, BUY), (*FLAT, SELL), (*FLAT, HOLD))
    slipped = run(rows, terms(slippage="0.00123"))
    assert [price for _, price, _ in fills(slipped)] == [Decimal("100.123"), Decimal("99.877")]
    in_steps = run(rows, terms(slippage="0.00123", price_step="0.1"))
    assert [price for _, price, _ in fills(in_steps)] == [Decimal("100.2"), Decimal("99.8")]


def test_of_stop_and_target_in_one_candle_the_stop_counts():
    rows = hourly(*BOUGHT, (100, 111, 89, 105, HOLD))
    account = run(rows, terms(stop_loss="0.1", take_profit="0.1"))
    assert exits(account) == [
        (Decimal(90), 2 * HOUR + LAST_MS, "stop-loss: price 89 is at or below 90")
    ]


def test_a_stop_that_was_gapped_over_fills_at_the_open():
    rows = hourly(*BOUGHT, (80, 85, 78, 84, HOLD))
    assert exits(run(rows, terms(stop_loss="0.1"))) == [
        (Decimal(80), 2 * HOUR, "stop-loss: price 78 is at or below 90")
    ]


def test_a_target_is_filled_at_its_price_or_at_an_open_beyond_it():
    under = terms(take_profit="0.1")
    assert exits(run(hourly(*BOUGHT, (100, 115, 100, 112, HOLD)), under)) == [
        (Decimal(110), 2 * HOUR + LAST_MS, "take-profit: price 115 is at or above 110")
    ]
    assert exits(run(hourly(*BOUGHT, (120, 125, 119, 121, HOLD)), under))[0][:2] == (
        Decimal(120),
        2 * HOUR,
    )


def test_a_price_exactly_at_a_limit_reaches_it_and_the_next_float_does_not():
    under = terms(stop_loss="0.1", take_profit="0.1")
    for at, beside in (
        ((100, 100, 90, 95), 90.00000000000001),
        ((100, 110, 100, 105), 109.99999999999999),
    ):
        assert len(exits(run(hourly(*BOUGHT, (*at, HOLD)), under))) == 1
        near = tuple(beside if price in {90, 110} else price for price in at)
        assert exits(run(hourly(*BOUGHT, (*near, HOLD)), under)) == []  # type: ignore[arg-type]


def test_a_stop_acts_in_the_candle_of_the_entry_too():
    rows = hourly((*FLAT, BUY), (100, 100, 85, 95, HOLD), (*FLAT, HOLD))
    assert fills(run(rows, terms(stop_loss="0.1"))) == [
        ("buy", Decimal(100), HOUR),
        ("sell", Decimal(90), HOUR + LAST_MS),
    ]


def test_a_sell_that_is_due_at_the_open_comes_before_that_candles_stop():
    rows = hourly((*FLAT, BUY), (*FLAT, SELL), (95, 95, 50, 60, HOLD))
    assert exits(run(rows, terms(stop_loss="0.1"))) == [(Decimal(95), 2 * HOUR, "said sell")]


def test_after_a_stop_the_same_candles_signal_may_enter_again():
    rows = hourly(*BOUGHT, (100, 100, 80, 95, BUY), (96, 96, 96, 96, HOLD))
    assert fills(run(rows, terms(stop_loss="0.1")))[2] == ("buy", Decimal(96), 3 * HOUR)


def test_the_stop_and_the_target_are_of_the_average_entry_with_its_fee():
    rows = hourly((*FLAT, BUY), (*FLAT, HOLD), (100, 100, 91, 95, HOLD), (100, 100, 90.5, 95, HOLD))
    account = run(rows, terms(stop_loss="0.1", fee_rate="0.01"))
    assert exits(account)[0][:2] == (Decimal("90.9"), 3 * HOUR + LAST_MS)


def test_what_is_decided_at_the_last_candle_is_not_filled_and_is_told():
    rows = hourly((*FLAT, HOLD), (*FLAT, BUY))
    candles = Candles.of(rows, Timeframe.H1)
    account = run(rows, terms())
    result = Result.of(terms(), candles, account)
    assert account.fills == []
    assert result.unfilled is not None
    assert result.unfilled.amount == 1
    assert result.net_profit == 0


def test_a_window_with_a_missing_candle_is_not_evaluated():
    rows = hourly(*[(*FLAT, BUY)] * 3)
    shifted = [*rows[:1], *((row[0] + HOUR, *row[1:]) for row in rows[1:])]
    assert len(run(rows, terms(), warmup=2).fills) == 1
    assert run(shifted, terms(), warmup=3).fills == []
    assert run(shifted, terms(), warmup=2).books.pending is not None
    assert fills(run([*shifted, (START + 9 * HOUR, *FLAT, HOLD)], terms(), warmup=2)) == [
        ("buy", Decimal(100), 9 * HOUR)
    ]


def test_an_entry_takes_nothing_once_losses_have_left_less_than_the_stake():
    loss = [(*FLAT, BUY), (*FLAT, HOLD), (80, 80, 80, 80, HOLD)]
    account = run(hourly(*loss, *loss), terms(stake=1000, stop_loss="0.1"))
    assert len(account.fills) == 2
    assert account.books.cash == 800


def test_an_entry_that_the_next_open_makes_dearer_than_the_cash_is_refused():
    account = run(hourly((*FLAT, BUY), (101, 101, 101, 101, HOLD)), terms(stake=1000))
    assert account.fills == []
    assert account.refused[0][1] == "cost and fee are 1010, more than the cash 1000"
    assert account.books.pending is None


@pytest.mark.parametrize(
    ("limits", "entered"),
    [
        ({"min_amount": 1}, 1),
        ({"min_amount": "1.001"}, 0),
        ({"min_cost": 100, "stop_loss": "0.1"}, 0),  # after which it could not be sold
        ({"min_cost": 90, "stop_loss": "0.1"}, 1),
        ({"min_cost": 50}, 1),
        ({"min_cost": "50.01"}, 0),
        ({"amount_step": 2}, 0),
    ],
)
def test_the_markets_minimums_and_steps_are_kept(limits, entered):
    assert len(run(hourly(*BOUGHT), terms(**limits)).fills) == entered


def test_the_books_of_a_worked_case():
    """Fee 0.0025, stake 1002.5. Buy 100 at 10: 1000 + 2.5. Sell at 12: 1200 - 3. Buy 83.541 at 12, down to 5."""
    rows = hourly(
        (10, 10, 10, 10, BUY),
        (10, 10, 10, 10, HOLD),
        (12, 12, 12, 12, SELL),
        (12, 12, 12, 12, BUY),
        (12, 12, 12, 12, HOLD),
        (5, 5, 5, 5, HOLD),
    )
    under = terms(stake="1002.5", starting_balance="1002.5", fee_rate="0.0025")
    account = run(rows, under)
    assert [
        (fill.trade.amount, fill.trade.price, fill.trade.fee, fill.profit) for fill in account.fills
    ] == [
        (Decimal(100), Decimal(10), Decimal("2.5"), Decimal(0)),
        (Decimal(100), Decimal(12), Decimal(3), Decimal("194.5")),
        (Decimal("83.333"), Decimal(12), Decimal("2.49999"), Decimal(0)),
    ]
    result = Result.of(under, Candles.of(rows, Timeframe.H1), account)
    assert result.cash == Decimal("194.50401")
    assert result.unrealised == Decimal("-585.83099")
    assert (result.fees, result.realised) == (Decimal("7.99999"), Decimal("194.5"))
    assert result.net_profit == Decimal("-391.33099")
    assert result.cash + result.value == under.starting_balance + result.net_profit


def test_a_trailing_stop_follows_the_highs_of_the_candles_before_and_the_open():
    rising = [(100, 120, 100, 118, HOLD), (118, 119, 109, 110, HOLD), (125, 126, 112, 113, HOLD)]
    account = run(hourly(*BOUGHT, *rising), terms(trailing_stop="0.1"))
    assert exits(account) == [
        (Decimal("112.5"), 4 * HOUR + LAST_MS, "trailing-stop: price 112 is at or below 112.5")
    ]


def test_the_higher_of_stop_loss_and_trailing_stop_counts():
    under = terms(trailing_stop="0.1", stop_loss="0.02")
    assert exits(run(hourly(*BOUGHT, (99, 99, 97, 98, HOLD)), under))[0][::2] == (
        Decimal(98),
        "stop-loss: price 97 is at or below 98",
    )
    rows = hourly(*BOUGHT, (100, 120, 100, 119, HOLD), (119, 119, 100, 101, HOLD))
    assert exits(run(rows, under))[0][::2] == (
        Decimal(108),
        "trailing-stop: price 100 is at or below 108",
    )


def test_a_position_is_left_after_as_many_candles_as_it_may_be_held_for():
    account = run(hourly(*BOUGHT, *[(*FLAT, HOLD)] * 5), terms(max_holding=3))
    assert exits(account) == [(Decimal(100), 4 * HOUR, "held for 3 candles")]


def test_after_a_loss_nothing_is_entered_for_as_many_candles_as_the_cooldown_has():
    rows = hourly(*BOUGHT, (100, 100, 80, 85, BUY), *[(85, 85, 85, 85, BUY)] * 5)
    account = run(rows, terms(stop_loss="0.1", cooldown=2))
    assert [fill[::2] for fill in fills(account)] == [
        ("buy", HOUR),
        ("sell", 2 * HOUR + LAST_MS),
        ("buy", 5 * HOUR),
    ]
    winning = hourly(*BOUGHT, (100, 120, 100, 115, BUY), (115, 115, 115, 115, HOLD))
    again = run(winning, terms(take_profit="0.1", cooldown=2))
    assert fills(again)[-1][::2] == ("buy", 3 * HOUR)


def test_the_loss_of_a_day_ends_entries_until_the_next_day():
    loss = [(*FLAT, BUY), (100, 100, 80, 85, BUY)]
    rows = hourly(*loss, *[(85, 85, 85, 85, BUY)] * 30)
    account = run(rows, terms(stop_loss="0.1", daily_loss="0.01"))
    assert [fill[::2] for fill in fills(account)] == [
        ("buy", HOUR),
        ("sell", HOUR + LAST_MS),
        ("buy", 24 * HOUR),
    ]
    assert account.ended is None


def test_a_drawdown_at_its_limit_ends_entries_for_good_and_is_told():
    rows = hourly((*FLAT, BUY), (100, 100, 80, 85, BUY), *[(85, 85, 85, 85, BUY)] * 30)
    account = run(rows, terms(stop_loss="0.1", max_drawdown="0.01"))
    assert len(account.fills) == 2
    assert account.ended == "drawdown 1.00% has reached its limit 1.00%"


def test_a_share_of_the_equity_is_staked():
    rows = hourly((*FLAT, BUY), (*FLAT, SELL), (200, 200, 200, 200, BUY), *[(*FLAT, HOLD)] * 2)
    account = run(rows, terms(stake=None, stake_share="0.5"))
    assert [fill.trade.amount for fill in account.fills] == [5, 5, Decimal("3.75")]


def test_a_limit_order_fills_at_its_limit_or_better_within_one_candle_or_not_at_all():
    under = terms(order_type=OrderType.LIMIT, slippage="0.01")
    reached = hourly((*FLAT, BUY), (101, 102, 99, 101, SELL), (100, 102, 100, 101, HOLD))
    assert fills(run(reached, under)) == [
        ("buy", Decimal(100), HOUR + LAST_MS),
        ("sell", Decimal(101), 2 * HOUR + LAST_MS),
    ]
    better = hourly((*FLAT, BUY), (98, 99, 97, 98, SELL), (103, 104, 100, 101, HOLD))
    assert [price for _, price, _ in fills(run(better, under))] == [Decimal(98), Decimal(103)]
    missed = run(hourly((*FLAT, BUY), (101, 102, 100.5, 101, HOLD)), under)
    assert [why for _, why in missed.refused] == ["not filled within a candle"]


def test_a_limit_exit_that_was_missed_goes_out_at_the_market():
    under = terms(order_type=OrderType.LIMIT)
    sell = [(*FLAT, SELL), (90, 95, 90, 92, HOLD), (91, 91, 91, 91, HOLD)]
    account = run(hourly(*BOUGHT, (99, 100, 99, 100, HOLD), *sell), under)
    assert fills(account)[-1] == ("sell", Decimal(91), 5 * HOUR)


def test_a_position_that_is_worth_less_than_the_market_takes_is_written_off():
    rows = hourly(*BOUGHT, (100, 100, 1, 2, HOLD), (2, 2, 2, 2, SELL), (2, 2, 2, 2, HOLD))
    account = run(rows, terms(min_cost="5"))
    assert len(account.fills) == 1
    (position,) = account.closed
    assert (position.dust, position.realised_profit) == (Decimal(1), Decimal(-100))
    result = Result.of(terms(min_cost="5"), Candles.of(rows, Timeframe.H1), account)
    assert result.net_profit == Decimal(-100)
    assert result.equity()[-1] == 900.0
