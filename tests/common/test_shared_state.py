"""What the daemons tell each other through the database."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

import schema
from common.candle import BadMarketData, Candle, Ticker
from common.clock import MarketClock
from common.controls import FLEET, Control, Controls, ControlState, tighten
from common.errors import ConfigurationError
from common.exchange_status import Exchanges, Market
from common.heartbeat import Heartbeat
from common.instance import Instance
from common.market_data import MarketData
from common.partition import Partition, check_symbol
from common.registry import Registration, Registry
from common.timeframe import Timeframe

ROOT = Path(__file__).parents[2]
BTC = Partition("binance", "BTC/USDT", Timeframe.H1)
HOUR = 3_600_000
SIGNAL = {
    "strategy_id": "a", "timestamp": 1, "signal": "hold", "price": 1.0, "indicators": "{}",
    "reason": "", "decision": "", "created_at": 1,
}  # fmt: skip


def candle(number: int, close: float = 2.0) -> Candle:
    return Candle(number * HOUR, 2.0, 3.0, 1.0, close, 5.0)


def registration(**changes: object) -> Registration:
    first = Registration("a", BTC, "rsi", None, "paper", {"period": 14}, 281, Decimal(1000))
    return replace(first, **changes)  # type: ignore[arg-type]


def test_a_stored_candle_is_not_changed_by_storing_it_again(database):
    data = MarketData(database)
    assert data.store_candles(BTC, [candle(1), candle(2)]) == 2
    assert data.store_candles(BTC, [candle(2, close=2.5), candle(3)]) == 1
    assert [row[4] for row in data.candles(BTC, limit=10)] == [2.0, 2.0, 2.0]


def test_the_window_is_the_newest_candles_oldest_first(database):
    data = MarketData(database)
    data.store_candles(BTC, [candle(number) for number in range(10)])
    assert [row[0] // HOUR for row in data.candles(BTC, limit=3)] == [7, 8, 9]
    assert [row[0] // HOUR for row in data.candles(BTC, limit=3, until=5 * HOUR)] == [3, 4, 5]
    assert data.timestamps(BTC, 2 * HOUR, 4 * HOUR) == [2 * HOUR, 3 * HOUR, 4 * HOUR]
    assert (data.oldest_candle(BTC), data.newest_candle(BTC)) == (0, 9 * HOUR)


def test_partitions_do_not_see_each_other(database):
    data = MarketData(database)
    data.store_candles(BTC, [candle(1)])
    for other in (
        replace(BTC, exchange="coinbase"),
        replace(BTC, symbol="ETH/USDT"),
        replace(BTC, timeframe=Timeframe.D1),
    ):
        assert data.newest_candle(other) is None
        assert data.candles(other, limit=5) == []


def test_the_newest_ticker_is_kept_and_old_ones_are_dropped(database):
    data = MarketData(database)
    for time_ in (1, 2, 3):
        data.store_tickers(
            "binance", {"BTC/USDT": Ticker(time_, 1.0, 2.0, 1.5)}, keep_since=time_ - 1
        )
    assert data.newest_ticker("binance", "BTC/USDT") == Ticker(3, 1.0, 2.0, 1.5)
    with database.read() as connection:
        assert (
            connection.execute(sa.select(sa.func.count()).select_from(schema.ticker_data)).scalar()
            == 2
        )


@pytest.mark.parametrize(
    "prices",
    [
        (2.0, 1.5, 1.0, 1.2, 1.0), (2.0, 3.0, 2.5, 2.6, 1.0), (0.0, 3.0, 0.0, 2.0, 1.0), (2.0, 3.0, 1.0, 2.0, -1.0),
        (float("nan"), 3.0, 1.0, 2.0, 1.0), (2.0, float("inf"), 1.0, 2.0, 1.0), (None, 3.0, 1.0, 2.0, 1.0),
        ("2", 3.0, 1.0, 2.0, 1.0), (-2.0, 3.0, -3.0, 2.0, 1.0),
    ],
)  # fmt: skip
def test_an_impossible_candle_cannot_be_built(prices):
    with pytest.raises(BadMarketData, match="expected"):
        Candle(0, *prices)


def test_an_impossible_ticker_cannot_be_built():
    with pytest.raises(BadMarketData, match="expected bid <= ask, found bid 3.0 and ask 2.0"):
        Ticker(0, 3.0, 2.0, 2.5)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "btc/usdt", "BTC/", "BTC/USDT:USDT", ""])
def test_a_symbol_has_the_form_base_quote(symbol):
    with pytest.raises(
        ConfigurationError, match="SYMBOL: expected BASE/QUOTE such as BTC/USDT, found"
    ):
        check_symbol(symbol, key="SYMBOL")


def test_registering_again_keeps_the_ledger_and_the_date_of_the_first_time(database):
    registry = Registry(database)
    registry.register(registration())
    with database.write() as connection:
        connection.execute(sa.update(schema.strategy_metadata).values(registered_at=5))
        connection.execute(
            sa.insert(schema.signals),
            SIGNAL,
        )
    registry.register(registration(parameters={"period": 7}, warmup=141))
    with database.read() as connection:
        row = connection.execute(sa.select(schema.strategy_metadata)).mappings().one()
        assert (
            connection.execute(sa.select(sa.func.count()).select_from(schema.signals)).scalar() == 1
        )
    assert (row["registered_at"], row["parameters"], row["warmup"]) == (5, '{"period": 7}', 141)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"partition": replace(BTC, symbol="ETH/USDT")}, "SYMBOL: expected BTC/USDT"),
        ({"partition": replace(BTC, timeframe=Timeframe.D1)}, "TIMEFRAME: expected 1h"),
        ({"mode": "live"}, "MODE: expected paper"),
        ({"starting_balance": Decimal(5)}, "STARTING_BALANCE: expected 1000"),
    ],
)
def test_a_strategy_id_cannot_take_its_books_elsewhere(database, change, key):
    registry = Registry(database)
    registry.register(registration())
    with database.write() as connection:
        connection.execute(sa.insert(schema.signals), SIGNAL)
    with pytest.raises(
        ConfigurationError, match=f"{key}, .*give the changed strategy another STRATEGY_ID"
    ):
        registry.register(registration(**change))


def test_a_wrong_market_is_put_right_while_there_are_no_books_yet(database):
    registry = Registry(database)
    registry.register(registration(partition=replace(BTC, symbol="BTC/USD")))
    registry.register(registration())
    assert list(registry.needs()) == [BTC]


def test_what_a_registration_replaces_is_kept_if_it_differs(database):
    registry = Registry(database)
    for changes in ({}, {}, {"parameters": {"period": 7}}, {"rules": {"fee_rate": "0"}}):
        registry.register(
            registration(**({"parameters": {"period": 7}} | changes if changes else {}))
        )
    registry.set_status("a", "running")
    found = registry.find("a")
    assert found is not None
    assert [(one.parameters, one.rules) for _, one in registry.earlier(found)] == [
        ({"period": 14}, {}),
        ({"period": 7}, {}),
    ]


def test_the_needs_are_one_entry_a_partition_with_the_longest_warm_up(database):
    registry = Registry(database)
    registry.register(registration())
    registry.register(registration(strategy_id="b", warmup=400))
    assert registry.needs() == {BTC: 400}


def test_a_database_is_bound_to_the_api_its_rows_came_from(database):
    exchanges = Exchanges(database)
    exchanges.require_source("binance", "http://practice/binance")
    exchanges.record_clock("binance", MarketClock(1, 2))
    exchanges.require_source("binance", "http://practice/binance")
    exchanges.require_source("coinbase", None)
    with pytest.raises(
        ConfigurationError, match="BINANCE_API_URL: expected http://practice/binance, .*found none"
    ):
        exchanges.require_source("binance", None)
    with pytest.raises(
        ConfigurationError, match="COINBASE_API_URL: expected none, .*found http://x"
    ):
        exchanges.require_source("coinbase", "http://x")


def test_clock_and_markets_of_an_exchange_are_read_as_recorded(database):
    exchanges = Exchanges(database)
    assert exchanges.clock("binance") is None
    exchanges.record_clock("binance", MarketClock(10, 5, 60.0))
    market = Market("BTC/USDT", Decimal("0.00001"), Decimal("0.01"), None, Decimal(5))
    exchanges.record_markets("binance", ["1m", "1h"], [market])
    exchanges.record_state("binance", "backing_off", until=99, error="timeout")
    assert exchanges.clock("binance") == MarketClock(10, 5, 60.0)
    assert exchanges.market("binance", "BTC/USDT") == market
    assert exchanges.market("binance", "XYZ/USDT") is None
    assert exchanges.timeframes("binance") == ["1m", "1h"]


def test_the_stricter_of_a_strategys_and_the_fleets_switch_holds(database):
    controls = Controls(database)
    assert controls.of("a", 0).state is ControlState.RUNNING
    controls.set("a", Control(ControlState.REDUCE_ONLY, "drawdown"))
    controls.set(FLEET, Control(ControlState.RUNNING, "morning"))
    assert controls.of("a", 0).state is ControlState.REDUCE_ONLY
    assert controls.of("a", 0).reason == "drawdown"
    assert controls.of("b", 0).state is ControlState.RUNNING
    controls.set(FLEET, Control(ControlState.HALTED, "maintenance"))
    assert controls.of("a", 0).reason == controls.of("b", 0).reason == "maintenance"


def test_a_switch_that_has_an_end_is_over_then(database):
    controls = Controls(database)
    controls.set("a", Control(ControlState.REDUCE_ONLY, "a day's loss", until=100))
    assert controls.of("a", 99).state is ControlState.REDUCE_ONLY
    assert controls.of("a", 100) == Control()


def test_what_a_limit_sets_loosens_nothing_and_lasts_as_long_as_the_longest(database):
    controls = Controls(database)

    def reach(reason: str, until: int | None, now: int) -> bool:
        with database.write() as connection:
            return tighten(connection, "a", Control(ControlState.REDUCE_ONLY, reason, until), now)

    assert reach("day", 100, now=50)
    assert not reach("the same day", 100, now=60)
    assert reach("drawdown", None, now=70)
    assert not reach("next day", 200, now=150)
    assert controls.of("a", 300).reason == "drawdown"
    controls.set("a", Control(ControlState.HALTED, "by hand"))
    assert not reach("drawdown", None, now=70)
    assert controls.of("a", 0).state is ControlState.HALTED


def test_a_heartbeat_shows_in_the_database_and_the_health_check_says_the_same(database, tmp_path):
    environment = {**os.environ, "HEARTBEAT_FILE": str(tmp_path / "heartbeat")}

    def check() -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "common.healthcheck"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    assert check()[0] == 1
    heartbeat = Heartbeat(database, "a", environment=environment)
    heartbeat.beat("running", "7 candles")
    assert check() == (0, "running: 7 candles")
    with database.read() as connection:
        row = connection.execute(sa.text("SELECT daemon, state, detail FROM fleet_health")).one()
    assert tuple(row) == ("a", "running", "7 candles")
    heartbeat.beat("stuck", "for a reason", problem="for a reason")
    assert check() == (1, "unhealthy: for a reason")


def test_a_name_is_held_by_one_process_until_it_ends(tmp_path):
    first = Instance(tmp_path, "a", key="STRATEGY_ID")
    with pytest.raises(
        ConfigurationError,
        match="STRATEGY_ID: expected a name that no running process has, found 'a'",
    ):
        Instance(tmp_path, "a", key="STRATEGY_ID")
    Instance(tmp_path, "b", key="STRATEGY_ID").release()
    first.release()
    Instance(tmp_path, "a", key="STRATEGY_ID").release()


def test_a_lock_that_somebody_elses_file_is_in_the_way_of_is_a_mistake_with_a_name(tmp_path):
    (tmp_path / "locks/a.lock").mkdir(parents=True)  # as root, no file is out of reach
    with pytest.raises(
        ConfigurationError, match=r"locks/a.lock: expected a file that user id \d+ can"
    ):
        Instance(tmp_path, "a", key="STRATEGY_ID")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/locks").write_text("")
    with pytest.raises(ConfigurationError, match=r"mine/locks.*: expected a file that"):
        Instance(tmp_path / "mine", "a", key="STRATEGY_ID")
