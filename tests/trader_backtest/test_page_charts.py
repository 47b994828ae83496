"""The charts of the report: what is drawn is what was, and can be read without seeing it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from common.errors import ConfigurationError
from tests.trader_backtest.histories import (
    BUY,
    HOLD,
    HOUR,
    SELL,
    START,
    Scripted,
    hourly,
)
from tests.trader_backtest.pages import SOME, Page, backtest, charts, points

if TYPE_CHECKING:
    import pandas as pd


def test_charts_are_well_formed_and_say_in_words_what_they_show():
    page, _, _ = backtest(SOME)
    titles = [chart.findtext("title") for chart in charts(page)]
    assert titles == [
        "Price of BTC/USDT with entries and exits",
        "score",
        "range <b>",
        "Equity in USDT",
        "Drawdown in percent of the highest equity so far",
    ]
    ids = [attributes["id"] for _, attributes in Page(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for chart in charts(page):
        assert chart.get("role") == "img"
        assert set((chart.get("aria-labelledby") or "").split()) <= set(ids)
        assert chart.findtext("desc")


def test_every_trade_has_a_sign_where_it_was():
    page, _, result = backtest(SOME)
    price = charts(page)[0]
    signs = [use.get("href") for use in price.iter("use")]
    expected = [
        "#entry" if fill.trade.side.value == "buy" else "#exit" if fill.profit >= 0 else "#loss"
        for fill in result.fills
    ]
    assert signs == expected
    assert {"#entry", "#exit", "#loss"} == set(signs)
    high, exponent = int(price.get("data-high", "")), int(price.get("data-exponent", ""))
    window = price.find("svg[@class='plot']").get("viewBox").split()  # type: ignore[union-attr]
    for use, fill in zip(price.iter("use"), result.fills, strict=True):
        share = float(use.get("y", "").removesuffix("%")) / 100
        seen = (high - share * float(window[3])) * 10.0**exponent
        assert seen == pytest.approx(float(fill.trade.price), rel=1e-4)


def test_a_strategys_indicators_are_drawn_where_it_says():
    price, score, undeclared, *_ = charts(backtest(SOME)[0])
    names = [[path.get("data-name") for path in chart.iter("path")] for chart in (price, score)]
    assert {"close", "average"} <= set(names[0])
    levels = [text.get("data-value") for text in score.iter("text") if text.get("class") == "level"]
    assert levels == ["30.0", "70.0"]
    assert not [text for text in undeclared.iter("text") if text.get("class") == "level"]


def test_a_line_is_the_values_it_shows():
    page, _, result = backtest(SOME)
    chart = charts(page)[3]
    high, exponent = int(chart.get("data-high", "")), int(chart.get("data-exponent", ""))
    line = next(path for path in chart.iter("path") if path.get("data-name") == "equity")
    shown = points(line.get("d", ""))
    slots = (result.candles.timestamp - START) // HOUR
    assert [x for x, _ in shown] == (slots - slots[0]).tolist()
    assert [(high - y) * 10.0**exponent for _, y in shown] == pytest.approx(
        result.equity().tolist(), abs=10.0**exponent
    )


def test_a_line_pauses_where_there_is_no_value():
    rows = hourly(*((100, 100, 100, 100, HOLD) for _ in range(9)))

    class Holey(Scripted):
        def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
            nan = np.nan
            return super().evaluate(candles).assign(x=[nan, 1, 2, nan, 3, nan, nan, 4, 5])

    line = next(
        path for path in charts(backtest(rows, Holey())[0])[1].iter("path") if path.get("data-name")
    )
    runs = line.get("d", "").split("m")[1:]
    assert [len(points("m" + run)) for run in runs] == [2, 2, 2]  # a single value is a dot


@pytest.mark.parametrize(
    "rows",
    [
        hourly((1, 1, 1, 1, HOLD)),
        hourly((1, 1, 1, 1, SELL), (1, 1, 1, 1, HOLD)),
        hourly((1e-8, 1.1e-8, 0.9e-8, 1e-8, BUY), (1e-8, 1e-8, 1e-8, 1e-8, SELL)),
        hourly((1e9, 1.1e9, 0.9e9, 1e9, BUY), (1e9, 1e9, 1e9, 1e9, SELL)),
    ],
)
def test_histories_of_which_there_is_little_to_draw(rows):
    page, _, _ = backtest(rows)
    assert not re.search(r"\b-?(nan|inf)\b", page.partition("<script>")[0].lower())
    assert len(charts(page)) == 5


def test_a_strategy_without_indicators_has_no_chart_of_them():
    assert len(charts(backtest(SOME, Scripted())[0])) == 3


@pytest.mark.parametrize(
    ("attribute", "value", "complaint"),
    [
        ("levels", [30], 'levels to be as {"rsi": (30, 70)}, found [30]'),
        ("levels", {"rsi": 30}, "levels to be as {\"rsi\": (30, 70)}, found {'rsi': 30}"),
        ("levels", {"rsi": [float("nan")]}, "found {'rsi': [nan]}"),
        ("on_price", "sma", "on_price to be names of indicators, found 'sma'"),
    ],
)
def test_a_strategy_that_cannot_be_drawn_as_it_says_is_told_so(attribute, value, complaint):
    strategy = Scripted()
    setattr(strategy, attribute, value)
    with pytest.raises(ConfigurationError, match=re.escape(complaint)):
        backtest(SOME, strategy)


def test_an_indicator_that_is_no_number_is_named():
    class Wordy(Scripted):
        def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
            return super().evaluate(candles).assign(mood="good")

    with pytest.raises(ConfigurationError, match="expected the indicator 'mood'"):
        backtest(SOME, Wordy())
