"""A strategy that is not what it has to be is found out, and the first candle where it shows is named."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.timeframe import Timeframe
from tests.trader.market import NOON, closes
from trader.strategies.checking import Finding, check
from trader.strategies.rsi import Rsi, RsiParameters
from trader.strategies.sampling import cuts, spread, window_ends

HOUR = Timeframe.H1.milliseconds
NAMES = ["answers", "input", "deterministic", "causal", "warm-up"]


def frame(prices: list[float], start: int = NOON) -> pd.DataFrame:
    index = pd.Index(range(start, start + len(prices) * HOUR, HOUR), name="timestamp")
    close = pd.Series(prices, index=index, dtype="float64")
    return pd.DataFrame({"open": close, "high": close, "low": close, "close": close, "volume": 1.0})


def findings(strategy: Any, *frames: pd.DataFrame) -> list[Finding]:
    return list(check(strategy, frames or [frame(closes(300))], Timeframe.H1))


def violation(strategy: Any, *frames: pd.DataFrame) -> Finding:
    found = findings(strategy, *frames)
    assert [finding.holds for finding in found] == [True] * (len(found) - 1) + [False]
    assert [finding.name for finding in found] == NAMES[: len(found)]
    return found[-1]


class Above:
    """Buys above a moving average, sells below it: as it should be, but for what a test changes."""

    warmup = 20

    def average(self, candles: pd.DataFrame) -> pd.Series:
        return candles["close"].rolling(20).mean()

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        average = self.average(candles)
        above, below = candles["close"] > average, candles["close"] < average
        signal = np.select([above, below], ["buy", "sell"], "hold").astype(object)
        signal[: self.warmup - 1] = "hold"
        return self.answer(candles, signal, average)

    def answer(self, candles: pd.DataFrame, signal: Any, average: Any) -> pd.DataFrame:
        said = {"signal": signal, "reason": "by the average", "average": average}
        return pd.DataFrame(said, index=candles.index)


def test_all_that_was_looked_at_is_told_of_a_good_strategy():
    found = findings(Above())
    assert [(finding.name, finding.holds) for finding in found] == [(name, True) for name in NAMES]
    assert found[3].told == (
        "281 truncated histories, each row of each, and 281 last rows of windows: as with the later candles"
    )
    assert found[4].told == "281 windows of 20 candles: as the whole history"


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    period=st.integers(2, 5),
    trigger=st.sampled_from(["level", "crossing"]),
    trend=st.sampled_from([None, 7, 150]),
)
def test_rsi_is_what_it_has_to_be(seed, period, trigger, trend):
    chance = random.Random(seed)
    prices = np.exp(np.cumsum([chance.gauss(0, 0.02) for _ in range(260)])).tolist()
    strategy = Rsi(RsiParameters(period=period, trigger=trigger, trend_period=trend))
    assert all(finding.holds for finding in findings(strategy, frame(prices)))


def test_each_run_of_candles_is_checked_on_its_own():
    found = findings(Above(), frame(closes(50)), frame(closes(40, seed=2), NOON + 60 * HOUR))
    assert found[4].told == "52 windows of 20 candles: as the whole history"


# --- looking ahead ---


class Centred(Above):
    def average(self, candles):
        return candles["close"].rolling(19, center=True, min_periods=1).mean()


class Normalised(Above):
    def average(self, candles):
        return candles["close"].rolling(20).mean() / candles["close"].max() * 100


class Filled(Above):
    def average(self, candles):
        return candles["close"].where(candles["close"].diff() > 0).bfill()


@pytest.mark.parametrize("strategy", [Centred(), Normalised(), Filled()])
def test_an_indicator_that_looks_ahead_is_named_with_the_first_candle_and_both_values(strategy):
    candles = frame(closes(300))
    candles.iloc[-1] *= 1.5  # the highest of all is the last
    found = violation(strategy, candles)
    assert found.name == "causal"
    assert found.timestamp is not None
    row = candles.index.tolist().index(found.timestamp)
    whole = strategy.evaluate(candles)["average"].iloc[row]
    assert found.told.startswith(f"`average` is {whole:.12g} with all later candles and ")
    assert found.told.endswith("it looks ahead")
    for before in range(19, row):
        alone = strategy.evaluate(candles.iloc[: before + 1])["average"].iloc[-1]
        assert alone == pytest.approx(strategy.evaluate(candles)["average"].iloc[before])


class Clairvoyant(Above):
    """Shows nothing of it but its signal: buys before the price jumps."""

    def answer(self, candles, signal, average):
        jump = candles["close"].shift(-1) > 1.2 * candles["close"]
        signal = np.where(jump, "buy", "hold")
        signal[: self.warmup - 1] = "hold"
        return super().answer(candles, signal, average)


def test_looking_ahead_at_one_candle_of_many_thousands_is_found():
    prices = closes(20_000)
    prices[12_345:] = [2 * price for price in prices[12_345:]]
    found = violation(Clairvoyant(), frame(prices))
    assert (found.name, found.timestamp) == ("causal", NOON + 12_344 * HOUR)
    assert found.told == (
        "`signal` is 'buy' with all later candles and 'hold' without them: it looks ahead"
    )


# --- a warm-up that does not suffice ---


class Exponential(Above):
    def average(self, candles):
        return candles["close"].ewm(span=20, adjust=False).mean()


def test_a_warm_up_that_does_not_suffice_is_named_with_the_first_candle_and_both_values():
    found = violation(Exponential())
    candles = frame(closes(300))
    whole = Exponential().average(candles).iloc[20]
    window = Exponential().average(candles.iloc[1:21]).iloc[-1]
    assert (found.name, found.timestamp) == ("warm-up", NOON + 20 * HOUR)
    assert found.told == (
        f"`average` is {whole:.12g} from the whole history and {window:.12g} from the last 20 candles (`warmup`)"
    )


def test_a_warm_up_that_suffices_to_a_millionth_is_enough():
    strategy = Exponential()
    strategy.warmup = 180
    assert all(finding.holds for finding in findings(strategy))


class Crossing(Above):
    """An indicator around 0, whose exponential averages keep a little of what is older than the warm-up."""

    warmup = 400

    def average(self, candles):
        close = candles["close"]
        return close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()


def test_an_indicator_that_crosses_zero_is_measured_by_its_usual_size():
    assert all(finding.holds for finding in findings(Crossing(), frame(closes(3000))))


class Latched(Above):
    """Its signal hangs on all that ever was, and no indicator shows it."""

    def answer(self, candles, signal, average):
        parity = (candles["close"].diff() > 0).cumsum() % 2
        signal = np.where(parity == 1, "buy", "sell")
        signal[: self.warmup - 1] = "hold"
        return super().answer(candles, signal, average)


def test_a_signal_that_remembers_more_than_the_warm_up_is_found():
    found = violation(Latched())
    assert found.name == "warm-up"
    assert found.told.startswith("`signal` is '")


class Rounded(Above):
    """Buys at every so-manieth candle of the whole history alone; its indicator differs in its last digits."""

    def __init__(self, every: int) -> None:
        self.every = every

    def average(self, candles):
        return candles["close"] + 1e-12 * (candles.index[0] - NOON) / HOUR

    def answer(self, candles, signal, average):
        whole = candles.index[0] == NOON and len(candles) > self.warmup
        buys = whole & (np.arange(len(candles)) % self.every == 0)
        buys[: self.warmup - 1] = False
        return super().answer(candles, np.where(buys, "buy", "hold"), average)


def test_last_digits_explain_a_signal_here_and_there_and_not_at_every_tenth_candle():
    assert findings(Rounded(200))[-1].told == (
        "281 windows of 20 candles: as the whole history, but for 1 where an indicator is so near to a level "
        "that its last digits decide"
    )
    found = violation(Rounded(10))
    assert (found.name, found.timestamp) == ("warm-up", NOON + 20 * HOUR)
    assert found.told == (
        "`signal` is 'buy' from the whole history and 'hold' from the last 20 candles (`warmup`)"
    )


# --- answers ---


def changed(change: Any) -> Any:
    class Changed(Above):
        def answer(self, candles, signal, average):
            return change(super().answer(candles, signal, average))

    return Changed()


@pytest.mark.parametrize(
    ("change", "row", "told"),
    [
        (lambda said: said.iloc[:-1], None, "expected a DataFrame with one row for each of 300 candles"),
        (lambda said: said.reset_index(), None, "expected a DataFrame with one row for each of 300"),
        (lambda said: said["signal"], None, "expected a DataFrame with one row for each"),
        (lambda said: said.drop(columns="reason"), None, "expected the columns signal, reason and"),
        (lambda said: pd.concat([said, said["average"]], axis=1), None, "expected the columns"),
        (lambda said: said.rename(columns={"average": "price"}), None, "`price`: expected an indicator"),
        (
            lambda said: said.assign(signal=said["signal"].where(said.index < NOON + 30 * HOUR, "long")),
            30,
            "`signal`: expected buy, sell, hold, found 'long'",
        ),
        (
            lambda said: said.assign(signal=said["signal"].where(said.index < NOON + 30 * HOUR)),
            30,
            "`signal`: expected buy, sell, hold, found None",
        ),
        (
            lambda said: said.assign(reason=said["reason"].where(said.index < NOON + 30 * HOUR, "")),
            30,
            "`reason`: expected words, found ''",
        ),
        (
            lambda said: said.assign(average=said["average"].astype(object).where(
                said.index < NOON + 30 * HOUR, "up")),
            30,
            "`average`: expected a number or NaN, found 'up'",
        ),
        (
            lambda said: said.assign(average=said["average"].astype("Float64")),
            0,
            "`average`: expected a number or NaN, found <NA>",
        ),
        (
            lambda said: said.assign(signal="buy"),
            0,
            "`signal`: expected hold at the first 19 candles (`warmup` - 1), found buy",
        ),
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_named(change, row, told):
    found = violation(changed(change))
    assert found.name == "answers"
    assert found.told.startswith(told)
    assert found.timestamp == (None if row is None else NOON + row * HOUR)


def test_what_a_strategy_raises_is_told_with_its_place():
    def fail(said):
        raise ZeroDivisionError("by the user")

    found = violation(changed(fail))
    assert found.told.startswith(
        "expected an answer about 300 candles, found ZeroDivisionError: by"
    )
    assert f"{__file__} line " in found.told


def test_a_strategy_that_fails_on_its_own_warm_up_is_found():
    def fail(said):
        if len(said) < 30:
            raise IndexError("too short")
        return said

    found = violation(changed(fail))
    assert (found.name, found.told[:35]) == ("answers", "expected an answer about 20 candles")


# --- the other properties ---


class Chance(Above):
    def average(self, candles):
        return pd.Series(np.random.default_rng().random(len(candles)), index=candles.index)


class Counting(Above):
    def __init__(self) -> None:
        self.asked = 0

    def average(self, candles):
        self.asked += 1
        return candles["close"] + self.asked


@pytest.mark.parametrize("strategy", [Chance(), Counting()])
def test_a_strategy_that_says_something_else_when_asked_again_is_found(strategy):
    found = violation(strategy)
    assert (found.name, found.timestamp) == ("deterministic", NOON)
    assert found.told.startswith("`average` is ")
    assert found.told.endswith(" when asked again")


class Writing(Above):
    def __init__(self, name: str) -> None:
        self.name = name

    def average(self, candles):
        candles[self.name] = candles["close"].where(candles.index != NOON + 7 * HOUR, 1.0)
        return candles["close"].rolling(20).mean()


def test_a_strategy_that_changes_its_candles_is_found():
    found = violation(Writing("close"))
    assert (found.name, found.timestamp) == ("input", NOON + 7 * HOUR)
    assert found.told == (
        f"`close` is {closes(8)[7]:g} before evaluate and 1 after it; copy the candles first"
    )
    added = violation(Writing("mine"))
    assert (added.name, added.timestamp) == ("input", None)
    assert added.told == "evaluate adds a column of its candles: `mine`; copy them first"


# --- where it is tried ---


def test_a_short_history_is_tried_at_each_candle():
    assert cuts(1000) == list(range(1000))
    assert window_ends(np.array(["hold"] * 2500)) == list(range(2500))


@given(st.integers(0, 100_000), st.integers(2, 300))
def test_a_spread_is_even_and_has_both_ends(count, many):
    places = spread(count, many)
    assert len(places) == min(count, many)
    if count > 1:
        assert (places[0], places[-1]) == (0, count - 1)
        steps = np.diff(places)
        assert steps.max() - steps.min() <= 1


def test_a_long_history_is_tried_where_the_signal_changes():
    signals = np.array(["hold"] * 100_000, dtype=object)
    signals[[777, 50_001, 99_998]] = "buy"
    ends = window_ends(signals)
    assert {777, 778, 50_001, 50_002, 99_998, 99_999} <= set(ends)
    assert len(ends) <= 1006
