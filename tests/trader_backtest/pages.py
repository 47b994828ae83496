"""A page for the tests, and a parser that reads it back."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, ClassVar
from xml.etree import ElementTree as ET

from common.partition import Partition
from common.timeframe import Timeframe
from tests.trader_backtest.histories import (
    Scripted,
    history,
    terms,
)
from trader.backtest.candles import Candles
from trader.backtest.metrics import Metrics
from trader.backtest.page.page import as_page
from trader.backtest.report import as_json
from trader.backtest.result import Result
from trader.backtest.setup import Setup
from trader.backtest.signals import signals_of
from trader.backtest.simulation import simulate
from trader.rule_settings import RuleSettings

if TYPE_CHECKING:
    import pandas as pd


BTC_1H = Partition("binance", "BTC/USDT", Timeframe.H1)
SOME = history(7, 400)


class Drawn(Scripted):
    """Has an indicator with levels, a moving average on the price, and one that it says nothing about."""

    levels: ClassVar = {"score": (30, 70)}
    on_price = frozenset({"average"})

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        close = candles["close"]
        more = {"score": close % 100, "average": close.rolling(3).mean(), "range <b>": -close}
        return super().evaluate(candles).assign(**more)


class Page(HTMLParser):
    """The tags of a page, its tables as rows of cells, and that each element is closed."""

    VOID = ("meta", "br", "path", "line", "use", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._open: list[str] = []
        self._table = ""
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)
        if tag == "table":
            self._table = dict(attrs)["id"]
            self.tables[self._table] = []
        if tag == "tr":
            self.tables[self._table].append([])
        if tag in {"td", "th"}:
            self.tables[self._table][-1].append("")

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self._open[-2:]):
            self.tables[self._table][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def backtest(rows, strategy=None, under=None, name="scripted"):
    """The page and the JSON of the same backtest."""
    strategy, under = strategy or Drawn(), under or terms(fee_rate="0.001", stop_loss="0.1")
    candles = Candles.of(rows, Timeframe.H1)
    signals = signals_of(strategy, candles, keep_indicators=True)
    result = Result.of(under, candles, simulate(under, candles, signals))
    written = RuleSettings(starting_balance=under.starting_balance, stake_amount=under.rules.stake)
    setup = Setup("a", BTC_1H, name, strategy, {"length": 3}, written)
    metrics = Metrics.of(result)
    page = as_page(setup, result, metrics, signals.indicators)
    return page, json.loads(as_json(setup, result, metrics)), result


def charts(page: str) -> list[ET.Element]:
    """Every outermost chart, read as XML."""
    found = re.findall(r'<svg class="pane.*?</svg>\n(?=</figure>)', page, re.DOTALL)
    return [ET.fromstring(chart) for chart in found]


def points(path: str) -> list[tuple[int, int]]:
    """Where a line of steps goes."""
    x = y = 0
    found = []
    for step in re.findall(r"(-?\d+)[ ]?(-?\d+)", path.partition("V")[0]):
        x, y = x + int(step[0]), y + int(step[1])
        found.append((x, y))
    return found
