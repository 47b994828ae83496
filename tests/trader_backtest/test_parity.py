"""A trader that sees one candle at a time, one that is restarted, and the backtest decide the same."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from common.timeframe import Timeframe
from tests.trader.fills import booked
from tests.trader_backtest.histories import HOUR, START, Scripted, all_terms, histories, plain_loop
from trader.backtest.account import Account
from trader.backtest.candles import Candles
from trader.backtest.signals import signals_of
from trader.backtest.simulation import simulate
from trader.core.books import Books
from trader.evaluation import Evaluation
from trader.strategies.rsi import Rsi, RsiParameters

if TYPE_CHECKING:
    from trader.backtest.account import Terms
    from trader.core.signal import Signal
    from trader.roles import Row
    from trader.strategies.strategy import Strategy


class Live:
    """The signals of a trader: each from the last candles alone, by the trader's own evaluation."""

    def __init__(self, strategy: Strategy, rows: list[Row]) -> None:
        self._strategy = strategy
        self._rows = rows

    def at(self, place: int, *_: object) -> Signal:
        evaluation = Evaluation(self._strategy, Timeframe.H1)
        window = self._rows[max(0, place + 1 - evaluation.warmup) : place + 1]
        return evaluation.signals(window, 1)[0]


def live_account(
    under: Terms, rows: list[Row], strategy: Strategy, restart: int
) -> tuple[Account, list[str]]:
    """The account and the decisions of a trader over a growing history, which is restarted at one candle."""
    live = Live(strategy, rows)
    account, decisions = Account(under, candles_of(rows[:1]), live), []  # type: ignore[arg-type]
    for place in range(len(rows)):
        vars(account)["_candles"] = candles_of(rows[: place + 1])
        if place == restart:
            account.books = books_of(under, account)
        account.settle(place)
        account.protect(place)
        decisions.append(account.decide(place))
    return account, decisions


def books_of(under: Terms, account: Account) -> Books:
    """What the next process reads: the trades add up to the books, and the orders are written."""
    books = Books(under.starting_balance)
    for fill in account.fills:
        books = booked(books, fill.trade, fill.order.reason, under.market).books
    known = account.books
    return replace(
        books, pending=known.pending, exiting=known.exiting, failed_exits=known.failed_exits
    )


def candles_of(rows: list[Row]) -> Candles:
    return Candles.of(rows, Timeframe.H1)


@settings(max_examples=40, deadline=None)
@given(rows=histories(30), under=all_terms(), warmup=st.integers(1, 4), restart=st.integers(0, 30))
def test_one_candle_at_a_time_or_restarted_or_in_one_piece_the_decisions_are_the_same(
    rows, under, warmup, restart
):
    strategy, candles = Scripted(warmup), candles_of(rows)
    live, decisions = live_account(under, rows, strategy, restart)
    signals = signals_of(strategy, candles)
    whole = Account(under, candles, signals)
    said = []
    for place in range(len(rows)):
        whole.settle(place)
        whole.protect(place)
        said.append(whole.decide(place))
    assert said == decisions
    jumped = simulate(under, candles, signals)
    assert jumped.fills == live.fills == plain_loop(under, candles, signals).fills


def wandering(seed: int, length: int) -> list[Row]:
    """Closes that move at every candle, with now and then a hole."""
    chance = random.Random(seed)
    rows: list[Row] = []
    timestamp, price = START, 100.0
    for _ in range(length):
        timestamp += HOUR * (5 if chance.random() < 0.01 else 1)
        opened, price = price, round(price * (1 + chance.uniform(-0.02, 0.02)), 6)
        rows.append((timestamp, opened, max(opened, price), min(opened, price), price, 1.0))
    return rows


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    trigger=st.sampled_from(["level", "crossing"]),
    period=st.integers(2, 4),
    level=st.integers(20, 45),
)
def test_rsi_says_at_every_candle_what_a_trader_hears_from_its_last_candles(
    seed, trigger, period, level
):
    strategy = Rsi(
        RsiParameters(period=period, oversold=level, overbought=100 - level, trigger=trigger)
    )
    rows = wandering(seed, 260)
    candles = candles_of(rows)
    signals, live = signals_of(strategy, candles), Live(strategy, rows)
    for place, row in enumerate(rows):
        whole = signals.at(place, row[0], row[4])
        alone = live.at(place)
        assert (whole.kind, whole.timestamp, whole.price) == (alone.kind, row[0], row[4])
        if alone.indicators:
            assert whole.reason == alone.reason


def test_a_strategy_is_handed_one_run_of_candles_at_a_time():
    runs: list[int] = []

    class Watching(Scripted):
        def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
            runs.append(len(candles))
            assert set(pd.Series(candles.index).diff().dropna()) <= {HOUR}
            return super().evaluate(candles)

    rows = [(START + at * HOUR, 1.0, 1.0, 1.0, 1.0, 1.0) for at in (0, 1, 2, 4, 6, 7)]
    signals_of(Watching(2), candles_of(rows))
    assert runs == [3, 2]
