"""What is made of the answers of a strategy that a user wrote."""

from __future__ import annotations

import pandas as pd
import pytest

from common.errors import ConfigurationError
from common.timeframe import Timeframe
from trader.core.signal import SignalKind
from trader.evaluation import Evaluation

HOUR = Timeframe.H1.milliseconds
CANDLES = [(at * HOUR, 100.0, 101.0, 99.0, 100.0 + at, 1.0) for at in range(3)]


class Answers:
    """Buys at every candle, and then does to its answer what the test wants."""

    warmup = 3

    def __init__(self, change):
        self._change = change

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        rows = pd.DataFrame({"signal": "buy", "reason": "always"}, index=candles.index)
        changed: pd.DataFrame = self._change(rows)
        return changed


def test_the_row_of_the_newest_candle_is_the_signal():
    [signal] = Evaluation(Answers(lambda rows: rows), Timeframe.H1).signals(CANDLES, 1)
    assert (signal.kind, signal.timestamp, signal.price) == (SignalKind.BUY, 2 * HOUR, 102.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.iloc[:-1],
        lambda rows: rows.iloc[::-1],
        lambda rows: rows.iloc[:0],
        lambda rows: rows.reset_index(drop=True),
        lambda rows: rows.assign(signal="long"),
        lambda rows: rows.assign(signal=None),
        lambda rows: rows.drop(columns="reason"),
    ],
    ids=[
        "last left out",
        "backwards",
        "none",
        "no times",
        "no such signal",
        "no signal",
        "no reason",
    ],
)
def test_an_answer_that_is_not_one_signal_for_each_candle_is_refused_and_not_traded(change):
    with pytest.raises(ConfigurationError, match="STRATEGY: expected Answers.evaluate to answer"):
        Evaluation(Answers(change), Timeframe.H1).signals(CANDLES, 1)
