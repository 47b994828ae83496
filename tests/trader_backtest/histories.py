"""Candles for the tests, and a strategy that says what the test wants: a candle's volume is its signal."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
from hypothesis import strategies as st

from common.timeframe import Timeframe
from trader.backtest.account import Account, Terms
from trader.backtest.candles import Candles
from trader.backtest.signals import signals_of
from trader.backtest.simulation import simulate
from trader.core.order import OrderType
from trader.core.rules import MarketRules, Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trader.backtest.signals import Signals
    from trader.roles import Row

HOUR = Timeframe.H1.milliseconds
START = 1_767_225_600_000  # 2026-01-01T00:00Z
HOLD, BUY, SELL = 0.0, 1.0, 2.0
_RATIOS = ("stop_loss", "take_profit", "trailing_stop", "daily_loss", "max_drawdown")
_COUNTS = ("max_holding", "cooldown")
SAID = {HOLD: "hold", BUY: "buy", SELL: "sell"}


class Scripted:
    """Says at each candle what its volume is."""

    def __init__(self, warmup: int = 1) -> None:
        self.warmup = warmup

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        said = candles["volume"].map(SAID)
        said.iloc[: self.warmup - 1] = "hold"
        return pd.DataFrame({"signal": said, "reason": "said " + said}, index=candles.index)


def terms(**changes: object) -> Terms:
    """1000 in cash, 100 for an entry, no fee, no stop: but for what the test changes."""
    rules: dict[str, object] = {
        "stake": Decimal(100),
        "fee_rate": Decimal(0),
        **dict.fromkeys(_RATIOS),
        "stake_share": None,
        **dict.fromkeys(_COUNTS, 0),
        "order_type": OrderType.MARKET,
    }
    market: dict[str, object] = {
        "amount_step": Decimal("0.001"),
        "min_amount": None,
        "min_cost": None,
        "price_step": None,
    }
    rest: dict[str, object] = {"starting_balance": Decimal(1000), "slippage": Decimal(0)}
    for name, value in changes.items():
        group = next(group for group in (rules, market, rest) if name in group)
        is_number = isinstance(value, str | float | int) and name not in _COUNTS
        group[name] = Decimal(str(value)) if is_number else value
    return Terms(
        strategy_id="a",
        symbol="BTC/USDT",
        rules=Rules(**rules),  # type: ignore[arg-type]
        market=MarketRules(**market),  # type: ignore[arg-type]
        **rest,  # type: ignore[arg-type]
    )


def hourly(*prices: tuple[float, float, float, float, float]) -> list[Row]:
    """One candle an hour, each as (open, high, low, close, what the strategy says)."""
    return [(START + at * HOUR, *row) for at, row in enumerate(prices)]


def run(rows: Sequence[Row], under: Terms, warmup: int = 1) -> Account:
    """The backtest's account after all of these candles."""
    candles = Candles.of(rows, Timeframe.H1)
    return simulate(under, candles, signals_of(Scripted(warmup), candles))


def plain_loop(under: Terms, candles: Candles, signals: Signals) -> Account:
    """Every candle, one after the other: what the simulation jumps through."""
    account = Account(under, candles, signals)
    for place in range(candles.first, len(candles)):
        account.settle(place)
        account.protect(place)
        account.decide(place)
    return account


def history(seed: int, length: int) -> list[Row]:
    """Candles that jump and leave holes, with a signal at about every third."""
    chance = random.Random(seed)
    rows: list[Row] = []
    timestamp, price = START, chance.choice([0.5, 1.0, 100.0, 54321.9])
    for _ in range(length):
        timestamp += HOUR * chance.choice([1] * 12 + [2, 5])
        opened = round(price * (1 + chance.choice([0.0, 0.0, chance.uniform(-0.12, 0.12)])), 4)
        price = max(0.01, round(opened * (1 + chance.uniform(-0.12, 0.12)), 4))
        wicks = [chance.choice([0.0, chance.uniform(0, 0.12)]) for _ in range(2)]
        high = round(max(opened, price) * (1 + wicks[0]), 4)
        low = round(min(opened, price) * (1 - wicks[1]), 4)
        rows.append((timestamp, opened, high, low, price, chance.choice([HOLD] * 4 + [BUY, SELL])))
    return rows


def histories(longest: int = 80) -> st.SearchStrategy[list[Row]]:
    """Any history of up to that many candles."""
    return st.builds(history, st.integers(0, 2**32), st.integers(2, longest))


_RATIO = st.sampled_from([None, "0.001", "0.02", "0.1"])


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    """Any terms, with all the rules of a trader."""
    under = draw(simple_terms())
    share = draw(st.sampled_from([None, None, "0.1", "0.95", "1"]))
    rules = replace(
        under.rules,
        stake=None if share else under.rules.stake,
        stake_share=_decimal(share),
        trailing_stop=_decimal(draw(_RATIO)),
        max_holding=draw(st.sampled_from([0, 0, 1, 3, 10])),
        cooldown=draw(st.sampled_from([0, 0, 1, 4])),
        daily_loss=_decimal(draw(_RATIO)),
        max_drawdown=_decimal(draw(st.sampled_from([None, None, "0.02", "0.2"]))),
        order_type=draw(st.sampled_from(OrderType)),
    )
    return replace(under, rules=rules)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@st.composite
def simple_terms(draw: st.DrawFn) -> Terms:
    """Any terms that the naive reference knows, also those under which cash runs out or the market refuses entries."""
    ratio = _RATIO
    return terms(
        stake=draw(st.sampled_from(["100", "950", "1000", "33.33"])),
        fee_rate=draw(st.sampled_from(["0", "0.001", "0.0025", "0.03"])),
        stop_loss=draw(ratio),
        take_profit=draw(ratio),
        slippage=draw(st.sampled_from(["0", "0.0005", "0.02"])),
        amount_step=draw(st.sampled_from(["0.00000001", "0.001", "0.1"])),
        min_amount=draw(st.sampled_from([None, "0.5"])),
        min_cost=draw(st.sampled_from([None, "99.95"])),
        price_step=draw(st.sampled_from([None, "0.0001", "0.01"])),
    )
