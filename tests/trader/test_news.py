"""What wakes a trader in a fleet that commits all the time, and what does not."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import schema
from common.candle import Candle
from common.controls import FLEET, Control, Controls, ControlState
from common.heartbeat import Heartbeat
from common.market_data import MarketData
from trader.news import News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from common.database import Database
    from tests.trader.market import TestMarket

HALT = Control(ControlState.HALTED, "a holiday")


@pytest.fixture
def others(market: TestMarket) -> Iterator[Database]:
    """The database as another process has it."""
    with closing(schema.open_database(f"sqlite:///{market.database.path}")) as database:
        yield database


def wakes(market: TestMarket, act: Callable[[], object], *, awaits_fill: bool = False) -> bool:
    """Whether there is news after that, and no more after having looked."""
    with closing(News(market.database, market.partition, "a", lambda: awaits_fill)) as news:
        before = news.token()
        assert news.token() == before
        act()
        after = news.token()
        assert news.token() == after
        return after != before


def test_a_candle_of_its_partition_wakes_it(market):
    assert wakes(market, lambda: market.add(100.0))


def test_a_price_of_its_symbol_wakes_it(market):
    assert wakes(market, lambda: market.tick(100.0))


@pytest.mark.parametrize("scope", ["a", FLEET])
def test_its_switch_and_the_fleets_wake_it(market, others, scope):
    assert wakes(market, lambda: Controls(others).set(scope, HALT))


def test_what_concerns_others_does_not_wake_it(market, others):
    def act() -> None:
        Heartbeat(others, "b", environment={}).beat("running")
        Controls(others).set("b", HALT)
        elsewhere = replace(market.partition, symbol="ETH/USDT")
        MarketData(others).store_candles(elsewhere, [Candle(0, 1.0, 1.0, 1.0, 1.0, 1.0)])

    assert not wakes(market, act)


def test_while_an_order_is_on_its_way_each_commit_wakes_it(market, others):
    assert wakes(
        market,
        lambda: Heartbeat(others, "b", environment={}).beat("running"),
        awaits_fill=True,
    )
