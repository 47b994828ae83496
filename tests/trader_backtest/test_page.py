"""The HTML report: whole, by itself, safe, and with the same figures as everywhere."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.trader_backtest.histories import (
    BUY,
    HOLD,
    HOUR,
    SAID,
    SELL,
    START,
    Scripted,
    history,
    hourly,
    terms,
)
from tests.trader_backtest.pages import SOME, Page, backtest, charts
from trader.backtest.page.round_trips import MOST, round_trips

if TYPE_CHECKING:
    import pandas as pd

NASTY = "<script>alert(1)</script>\"'&"


class Nasty(Scripted):
    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        return super().evaluate(candles).assign(reason=NASTY, **{NASTY: candles["close"]})


def test_every_figure_is_that_of_the_json():
    page, told, _ = backtest(SOME)
    figures = dict(Page(page).tables["figures"])
    assert told["round_trips"] > 5

    def percent(name: str) -> str:
        return f"{100 * told[name]:,.2f} %"

    minutes = round(told["average_holding_s"] / 60)
    days, hours = divmod(minutes // 60, 24)
    assert figures == {
        "starting balance": f"{Decimal(told['starting_balance']):,.2f} USDT",
        "net profit": f"{Decimal(told['net_profit']):,.2f} USDT",
        "return": percent("total_return"),
        "CAGR": percent("cagr"),
        "max drawdown": percent("max_drawdown"),
        "Sharpe": f"{told['sharpe']:,.2f}",
        "Sortino": f"{told['sortino']:,.2f}",
        "profit factor": f"{told['profit_factor']:,.2f}",
        "win rate": percent("win_rate"),
        "exposure": percent("exposure"),
        "average holding": f"{days} d {hours} h {minutes % 60} min"
        if days
        else f"{hours} h {minutes % 60} min",
        "trades": f"{told['trades']:,} in {told['round_trips']:,} round trips",
        "fees": f"{Decimal(told['fees']):,.2f} USDT",
    }


def test_monthly_returns_are_those_of_the_json_and_a_years_are_compounded():
    rows = [(START + at * 24 * HOUR, *row[1:]) for at, row in enumerate(history(7, 500))]
    page, told, _ = backtest(rows)
    head, *years = Page(page).tables["monthly"]
    shown = {
        f"{year}-{number:02}": cell
        for year, *cells in years
        for number, cell in enumerate(cells[:12], start=1)
        if cell
    }
    returns = told["monthly_returns"]
    assert list(shown) == list(returns)
    assert [float(cell) for cell in shown.values()] == pytest.approx(
        [100 * ratio for ratio in returns.values()], abs=0.005
    )
    assert all(cell[0] in "+-0" for cell in shown.values())
    for year, *cells in years:
        whole = np.prod([1 + ratio for month, ratio in returns.items() if month.startswith(year)])
        assert float(cells[12]) == pytest.approx(100 * (whole - 1), abs=0.005)
    assert [name[0] for name in head[1:]] == [*"JFMAMJJASOND", "Y"]


def test_it_shows_what_it_ran_with():
    settings = dict(Page(backtest(SOME)[0]).tables["settings"])
    assert settings["strategy id"] == "a"
    assert settings["market"] == "binance BTC/USDT 1h"
    assert settings["length"] == "3"
    assert settings["stake"] == "100"
    assert settings["stop loss"] == "0.1"
    assert settings["take profit"] == "none"
    assert settings["fee rate"] == "0.001"


def test_nothing_is_loaded_and_no_program_but_its_own_may_run():
    page, _, _ = backtest(SOME)
    assert [
        word for word in re.findall(r"https?:[^\s\"'<]*", page) if "www.w3.org" not in word
    ] == []
    parsed = Page(page)
    for tag, attributes in parsed.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "source", "image"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in page
    assert "@import" not in page
    policy = next(meta for meta in parsed.all("meta") if "http-equiv" in meta)["content"] or ""
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_what_a_strategy_says_is_text_and_never_markup():
    page, _, _ = backtest(SOME, Nasty(), name=NASTY)
    assert "<script>alert" not in page
    parsed = Page(page)
    assert len(parsed.all("script")) == 1
    trips = parsed.tables["round-trips"][1:]
    assert {trip[8] for trip in trips} == {NASTY}
    assert dict(parsed.tables["settings"])["strategy"] == NASTY
    assert any(
        NASTY in (title.text or "") for chart in charts(page) for title in chart.iter("title")
    )


def test_the_same_backtest_is_the_same_file():
    assert backtest(SOME)[0] == backtest(SOME)[0]


def test_round_trips_tell_what_the_trades_add_up_to():
    page, told, result = backtest(SOME)
    rows = Page(page).tables["round-trips"][1:]
    assert len(rows) == told["round_trips"] + (told["open_position"] is not None)
    found = round_trips(result)
    assert sum(trip.position.realised_profit for trip in found) == Decimal(told["realised_profit"])
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_an_open_position_is_a_round_trip_without_an_end():
    rows = hourly((100, 100, 100, 100, BUY), (100, 110, 100, 110, HOLD))
    row = Page(backtest(rows)[0]).tables["round-trips"][1]
    assert row[1:3] == ["open", ""]
    assert row[5:8] == ["", "", ""]


def test_five_years_of_5m_candles_are_less_than_two_megabytes():
    length = 500_000
    chance = np.random.default_rng(1)
    close = np.round(50_000 * np.exp(np.cumsum(chance.normal(0, 0.002, length))), 2)
    said = np.full(length, HOLD)
    said[::145], said[72::145] = BUY, SELL
    times = START + HOUR * np.arange(length)
    columns = (times, close, close * 1.001, close * 0.999, close, said)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    page, told, result = backtest(rows, under=terms(starting_balance=1_000_000))
    assert told["trades"] > 6_000
    assert len(page.encode()) < 2_000_000
    trips = Page(page).tables["round-trips"][1:]
    assert len(trips) == MOST
    assert (
        f"{len(round_trips(result)) - MOST:,} older ones are not shown; --trades FILE writes"
        in page
    )
    assert "of each 100 candles" in page


def test_the_scripted_words_are_the_reasons_shown():
    rows = Page(backtest(SOME)[0]).tables["round-trips"][1:]
    assert {row[8] for row in rows} == {f"said {SAID[BUY]}"}
