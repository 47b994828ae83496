"""Each way in which what was written can be wrong is told; and each known cause is told as such."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from backfiller.revisions import store_candles
from common.candle import Candle
from common.clock import wall_now
from common.controls import Control, Controls, ControlState
from common.market_data import MarketData
from common.registry import Registry
from tests.trader.market import candle
from tests.trader.running import rows
from tests.trader.stage import ID, RULES, STRATEGY, advance, engine_on
from tests.trader_audit.playing import change, differences, registration
from trader.audit.audit import audit
from trader.audit.difference import Cause, Kind
from trader.core.order import OrderType

if TYPE_CHECKING:
    from tests.trader.market import TestMarket
    from trader.core.rules import Rules

WARM = STRATEGY.warmup
CALM = [100.0, 101.0] * 100  # an RSI around 50
UNGUARDED = replace(RULES, stop_loss=None, take_profit=None)


def begun(market: TestMarket, rules: Rules = UNGUARDED) -> None:
    """A registered strategy with its first signal, which is hold."""
    Registry(market.database).register(registration(market, rules))
    market.add(*CALM[:WARM])
    advance(engine_on(market, rules=rules))


def after(market: TestMarket, *prices: float, rules: Rules = UNGUARDED) -> None:
    """Candles that are each decided on at once, and what is ordered filled at their close."""
    for price in prices:
        market.add(price)
        advance(engine_on(market, rules=rules))
        market.set_clock(market.next + 1000)
        market.tick(price, at=market.next + 1000)
        advance(engine_on(market, rules=rules))


@pytest.fixture
def traded(market: TestMarket) -> TestMarket:
    """A round trip, and another position: bought at 90, sold at 120, bought at 95."""
    begun(market)
    after(market, 100.0, 90.0, 110.0, 120.0, 118.0, 95.0, 96.0, 97.0)
    return market


def told(market: TestMarket) -> set[tuple[Kind, str, Cause | None]]:
    return {
        (one.kind, what, one.cause) for one in differences(market) for what in one.what.split(", ")
    }


def test_of_what_a_trader_wrote_nothing_differs(traded):
    found = audit(traded.database, ID, None, None)
    assert found.differences == []
    assert found.compared == {
        Kind.SIGNAL: 9,
        Kind.DECISION: 9,
        Kind.ORDER: 3,
        Kind.TRADE: 3,
        Kind.POSITION: 2,
        Kind.EQUITY: 9,
    }


@pytest.mark.parametrize(
    ("statement", "kind", "what"),
    [
        ("UPDATE signals SET rsi = rsi + 0.01 WHERE signal = 'buy'", Kind.SIGNAL, "rsi"),
        ("UPDATE signals SET reason = 'x' WHERE signal = 'hold'", Kind.SIGNAL, "reason"),
        ("UPDATE signals SET price = price + 1 WHERE signal = 'sell'", Kind.SIGNAL, "price"),
        ("UPDATE signals SET signal = 'sell' WHERE signal = 'hold'", Kind.SIGNAL, "signal"),
        ("UPDATE signals SET indicators = '{}' WHERE signal = 'buy'", Kind.SIGNAL, "indicator rsi"),
        ("UPDATE signals SET indicators = 'x' WHERE signal = 'buy'", Kind.SIGNAL, "indicator rsi"),
        ("DELETE FROM signals WHERE signal = 'buy'", Kind.SIGNAL, "row"),
        (
            "DELETE FROM signals WHERE timestamp = (SELECT max(timestamp) FROM signals)",
            *(Kind.SIGNAL, "row"),
        ),
        (
            "DELETE FROM ohlcv_data WHERE timestamp = (SELECT min(timestamp) FROM signals)",
            *(Kind.SIGNAL, "candle"),
        ),
        (
            "UPDATE signals SET decision = 'no trade: halted (x)' WHERE decision LIKE 'no trade: s%'",
            *(Kind.DECISION, "decision"),
        ),
        (
            "UPDATE signals SET decision = 'buy 2' WHERE decision LIKE 'buy%'",
            *(Kind.DECISION, "decision"),
        ),
        ("UPDATE equity SET equity = '1' WHERE equity = '1000'", Kind.EQUITY, "equity"),
        ("UPDATE equity SET peak = '1001' WHERE peak = '1000'", Kind.EQUITY, "peak"),
        (
            "DELETE FROM equity WHERE timestamp = (SELECT max(timestamp) FROM equity)",
            *(Kind.EQUITY, "row"),
        ),
        ("UPDATE positions SET realised_profit = '1'", Kind.POSITION, "realised_profit"),
        ("UPDATE positions SET fees = '1' WHERE status = 'open'", Kind.POSITION, "fees"),
        ("UPDATE positions SET dust = '1' WHERE status = 'closed'", Kind.POSITION, "dust"),
        ("DELETE FROM positions WHERE status = 'open'", Kind.POSITION, "row"),
    ],
)
def test_a_row_that_was_changed_is_told(traded, statement, kind, what):
    assert change(traded, statement)
    assert (kind, what, None) in told(traded)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "3"),
        ("reason", "x"),
        ("client_order_id", "cw1"),
        ("purpose", "time-stop"),
        ("reserved", "1"),
        ("decided_at", 1),
    ],
)
def test_an_order_that_does_not_follow_from_its_decision_is_told(traded, column, value):
    changed = f"UPDATE orders SET {column} = :value WHERE order_id = 1"
    assert change(traded, changed, value=value)
    found = {(one.kind, one.what.split()[-1], one.cause) for one in differences(traded)}
    assert (Kind.ORDER, column, None) in found


def test_an_order_without_a_decision_is_told(traded):
    columns = (
        "strategy_id, symbol, side, type, amount, reason, created_at, updated_at, purpose, reserved"
    )
    change(
        traded,
        f"INSERT INTO orders ({columns}, client_order_id, status, signal_timestamp, decided_at) "
        f"SELECT {columns}, 'cw1', 'rejected', (SELECT max(timestamp) FROM signals), :now "
        "FROM orders WHERE order_id = 3",
        now=traded.next,
    )
    found = [(one.kind, one.what, one.replayed) for one in differences(traded)]
    assert found == [(Kind.ORDER, "row", "no order")]


def test_a_decision_without_its_order_is_told(traded):
    change(traded, "DELETE FROM trades WHERE order_id = 3")
    change(traded, "DELETE FROM orders WHERE order_id = 3")
    change(traded, "DELETE FROM positions WHERE status = 'open'")
    found = {(one.kind, one.what, one.written) for one in differences(traded)}
    assert (Kind.ORDER, "row", "nothing") in found
    assert all(one.cause is None for one in differences(traded))


def test_a_forged_trade_is_told(traded):
    change(
        traded,
        "INSERT INTO trades (strategy_id, order_id, exchange_trade_id, symbol, side, amount, price, cost, fee, "
        "fee_currency, realised_profit, timestamp, fee_cost) "
        "SELECT strategy_id, order_id, 'forged', symbol, side, '1', '95', '95', '0.095', fee_currency, '0', "
        "timestamp, '0.095' FROM trades WHERE trade_id = 3",
    )
    found = told(traded)
    assert (Kind.POSITION, "amount", None) in found
    assert (Kind.EQUITY, "equity", None) in found
    assert (Kind.TRADE, "forged exchange_trade_id", None) in found


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ("price = '97'", "price"),
        ("fee = '0.1'", "fee"),
        ("fee_cost = '0'", "fee_cost"),
        ("realised_profit = '0'", "realised_profit"),
        ("cost = '1'", "cost"),
        ("timestamp = timestamp - 1001", "timestamp"),
    ],
)
def test_a_trade_that_cannot_have_been_is_told(traded, changed, what):
    change(traded, "DELETE FROM ticker_data")
    assert change(traded, f"UPDATE trades SET {changed} WHERE trade_id = 2")
    found = {one.what.split()[-1] for one in differences(traded) if one.kind is Kind.TRADE}
    assert what in found


def test_an_equity_that_stays_off_by_the_same_amount_is_told_once(traded):
    change(traded, "UPDATE equity SET equity = equity + 1")
    (found,) = (one for one in differences(traded) if one.what == "equity")
    assert found.count == 9


# --- known causes ---


def test_a_revised_candle_is_a_known_cause_if_the_old_one_explains_the_signal(traded):
    timestamp = traded.next - 4 * traded.length
    with traded.database.write() as connection:
        old = candle(timestamp, 118.0)
        new = Candle(timestamp, old.open, old.high, old.low, 118.1, old.volume)
        store_candles(connection, traded.partition, [new], now=wall_now() + 1, stored_at={})
    found = told(traded)
    assert {(kind, cause) for kind, _, cause in found} == {(Kind.SIGNAL, Cause.REVISED)}
    assert {"price", "rsi"} <= {what for _, what, _ in found}
    change(traded, "UPDATE signals SET rsi = rsi + 1 WHERE timestamp = :at", at=timestamp)
    assert (Kind.SIGNAL, "rsi", None) in told(traded)


def test_a_candle_that_was_filled_in_later_is_a_known_cause(market):
    begun(market)
    market.skip()
    missing = market.next - market.length
    after(market, 100.0, 101.0)
    assert differences(market) == []
    MarketData(market.database).store_candles(market.partition, [candle(missing, 100.0)])
    found = told(market)
    assert {(kind, cause) for kind, _, cause in found} == {(Kind.SIGNAL, Cause.FILLED_IN)}
    assert {"row", "reason", "rsi", "indicator rsi"} <= {what for _, what, _ in found}


def test_candles_that_are_not_stored_any_more_are_a_known_cause(traded):
    change(traded, "DELETE FROM ohlcv_data WHERE timestamp < :at", at=traded.next - traded.length)
    found = told(traded)
    assert {(kind, cause) for kind, _, cause in found} == {(Kind.SIGNAL, Cause.NOT_STORED)}


@pytest.mark.parametrize(
    ("state", "cause"),
    [(ControlState.HALTED, Cause.HALTED), (ControlState.REDUCE_ONLY, Cause.REDUCED)],
)
def test_a_switch_is_a_known_cause(market, state, cause):
    begun(market)
    Controls(market.database).set(ID, Control(state, "news"))
    after(market, 90.0)
    (found,) = differences(market)
    assert (found.kind, found.cause, found.replayed) == (Kind.DECISION, cause, "buy 3.33")


def test_a_candle_that_closed_too_long_ago_is_a_known_cause(market):
    begun(market)
    market.add(90.0)
    market.set_clock(market.next + 400_000)
    advance(engine_on(market, rules=UNGUARDED))
    assert told(market) == {(Kind.DECISION, "decision", Cause.STALE)}


def test_that_the_trader_was_away_is_a_known_cause_if_there_is_a_newer_candle(market):
    begun(market)
    market.add(90.0, 95.0)
    advance(engine_on(market, rules=UNGUARDED))
    assert told(market) == {(Kind.DECISION, "decision", Cause.AWAY)}
    newest = market.next - market.length
    change(market, "DELETE FROM ohlcv_data WHERE timestamp = :at", at=newest)
    assert (Kind.DECISION, "decision", None) in told(market)


def test_the_cap_of_the_fleet_is_a_known_cause(market):
    rules = replace(UNGUARDED, symbol_cap=Decimal(400))
    begun(market, rules)
    change(
        market,
        "INSERT INTO signals SELECT strategy_id, :at, 'buy', 90.0, rsi, indicators, 'rsi is below 30', :why, "
        "created_at + 1 FROM signals",
        at=market.add(90.0),
        why="no trade: all strategies hold 200 of BTC/USDT, with this stake of 300 more than the cap 400",
    )
    assert (Kind.DECISION, "decision", Cause.CAP) in told(market)


def test_words_of_a_condition_do_not_excuse_a_decision_that_it_does_not_lead_to(traded):
    forged = "no trade: reduce-only (x)"  # lets the position be sold
    change(traded, "UPDATE signals SET decision = :why WHERE decision LIKE 'sell%'", why=forged)
    assert (Kind.DECISION, "decision", None) in told(traded)


def test_each_row_is_compared_under_the_configuration_it_was_written_under(traded):
    stake = replace(UNGUARDED, stake=Decimal(200))
    Registry(traded.database).register(registration(traded, stake, oversold=25.0))
    found = audit(traded.database, ID, None, None)
    assert found.differences == []
    assert len(found.configured_anew) == 1
    change(traded, "DELETE FROM events")
    assert {kind for kind, *_ in told(traded)} == {Kind.SIGNAL, Kind.DECISION, Kind.ORDER}


# --- what is no difference ---


def test_rows_that_were_forgotten_are_not_missed(market):
    begun(market)
    after(market, *CALM[:40], 90.0, 110.0, *CALM[:20])
    engine = engine_on(market, rules=UNGUARDED)
    journal = engine._journal
    assert journal.forget(market.next - 5 * market.length) > 50
    assert differences(market) == []
    oldest = market.next - 4 * market.length
    change(market, "DELETE FROM signals WHERE timestamp = :at", at=oldest)
    assert (Kind.SIGNAL, "row", None) in told(market)


def test_a_buy_signal_is_missed_also_from_where_rows_were_forgotten(market):
    begun(market)
    after(market, *CALM[:10], 90.0, *CALM[:20])
    engine_on(market)._journal.forget(market.next - 5 * market.length)
    assert change(market, "DELETE FROM signals WHERE signal = 'buy'")
    assert (Kind.SIGNAL, "row", None) in told(market)


def test_exits_between_candles_are_compared_with_the_guard(market):
    rules = replace(RULES, trailing_stop=Decimal("0.02"))
    begun(market, rules)
    after(market, 90.0, rules=rules)
    for at, price in enumerate((90.7, 90.2, 88.8), start=2):
        market.set_clock(market.next + 1000 * at)
        market.tick(price, at=market.next + 1000 * at)
        advance(engine_on(market, rules=rules))
    market.tick(88.8, at=market.next + 5000)
    advance(engine_on(market, rules=rules))
    market.add(89.0)
    advance(engine_on(market, rules=rules))
    assert differences(market) == []
    purpose = "UPDATE orders SET reason = replace(reason, 'price 88.8', :to) WHERE side = 'sell'"
    change(market, purpose, to="price 88.9")  # above the limit
    assert {(kind, cause) for kind, _, cause in told(market)} >= {(Kind.ORDER, None)}
    change(market, purpose.replace("88.8", "88.9"), to="price 70")  # a price that never was
    change(
        market, "UPDATE positions SET exit_reason = replace(exit_reason, 'price 88.8', 'price 70')"
    )
    assert told(market) == {(Kind.ORDER, "price of trailing-stop", None)}


def test_a_position_that_a_stop_wrote_off_is_compared_with_the_guard(market):
    begun(market, RULES)
    after(market, 90.0, rules=RULES)
    market.set_clock(market.next + 2000)
    market.tick(1.0, at=market.next + 2000)
    advance(engine_on(market))
    after(market, 91.0, 92.0, rules=RULES)
    assert differences(market) == []
    change(market, "UPDATE positions SET exit_reason = replace(exit_reason, 'price 1', 'price 2')")
    assert (Kind.POSITION, "exit_reason", None) in told(market)


def test_a_position_that_a_signal_wrote_off_is_compared_with_the_decision(market):
    rules = replace(UNGUARDED, max_holding=3)
    begun(market, rules)
    after(market, 90.0, 80.0, rules=rules)
    after(market, 1.0, 1.1, 1.0, rules=rules)
    assert differences(market) == []
    assert change(
        market, "UPDATE positions SET exit_reason = replace(exit_reason, 'for 3', 'for 4')"
    )
    assert (Kind.POSITION, "written off", None) in told(market)


def test_an_exit_that_is_tried_again_is_compared_with_the_one_that_failed(market):
    rules = replace(UNGUARDED, order_type=OrderType.LIMIT)
    begun(market, rules)
    after(market, 90.0, rules=rules)
    market.add(120.0)
    advance(engine_on(market, rules=rules))
    for at, price in ((1, 118.0), (60_001, 118.5), (60_002, 118.4), (61_003, 118.3)):
        market.set_clock(market.next + at)
        market.tick(price, at=market.next + at)
        advance(engine_on(market, rules=rules))
    market.add(119.0)
    advance(engine_on(market, rules=rules))
    assert audit(market.database, ID, None, None).compared[Kind.ORDER] == 3
    assert differences(market) == []
    change(market, "UPDATE orders SET amount = '1' WHERE order_id = 3")
    assert any(one.kind is Kind.ORDER and one.cause is None for one in differences(market))


def test_a_span_is_compared_alone_and_with_what_came_before_it(traded):
    since = traded.next - 3 * traded.length
    found = audit(traded.database, ID, since, None)
    assert found.differences == []
    assert found.compared[Kind.SIGNAL] == found.compared[Kind.EQUITY] == 3
    change(traded, "UPDATE signals SET rsi = 1")
    assert len(audit(traded.database, ID, since, None).differences) == 3
    assert len(audit(traded.database, ID, None, since).differences) == 7


def test_a_stop_that_acts_on_an_old_ticker_is_compared_with_what_was_seen_by_then(market):
    rules = replace(RULES, trailing_stop=Decimal("0.02"))
    begun(market, rules)
    after(market, 90.0, 89.9, rules=rules)
    entered = market.next
    market.tick(89.0, at=entered + 1000)
    market.add(89.8, 89.7, high=90.4)
    advance(engine_on(market, rules=rules))  # its limit would be above that ticker
    assert rows(market.database, "SELECT purpose FROM orders") == [("entry",)]
    market.tick(87.5, at=entered + 2000)
    market.add(93.0)
    advance(engine_on(market, rules=rules))
    market.tick(93.0)
    advance(engine_on(market, rules=rules))
    purposes = rows(market.database, "SELECT purpose FROM orders ORDER BY order_id")
    assert purposes == [("entry",), ("trailing-stop",)]
    assert differences(market) == []


def test_a_stop_has_not_followed_candles_that_came_after_the_ticker(market):
    rules = replace(RULES, trailing_stop=Decimal("0.02"))
    begun(market, rules)
    after(market, 90.0, 89.9, rules=rules)
    late = market.next + 2 * market.length + 1000
    market.set_clock(late)
    market.tick(87.5, at=late)
    advance(engine_on(market, rules=rules))
    market.add(89.8, 89.7, high=93.0)  # both closed before that
    market.set_clock(late + 2000)
    market.tick(89.7, at=late + 2000)
    advance(engine_on(market, rules=rules))
    purposes = rows(market.database, "SELECT purpose FROM orders ORDER BY order_id")
    assert purposes[:2] == [("entry",), ("trailing-stop",)]
    assert {cause for _, _, cause in told(market)} <= {Cause.AWAY}


@pytest.mark.parametrize("moved", [3_600_000, -3_600_000])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_machines_clock_that_was_set_between_two_candles_is_no_difference(traded, number, moved):
    times = [row[0] for row in rows(traded.database, "SELECT timestamp FROM signals ORDER BY 1")]
    before, since = times[number - 1 : number + 1]
    change(
        traded, f"UPDATE signals SET created_at = created_at + {moved} WHERE timestamp >= {since}"
    )
    for column, first in (("created_at", since), ("updated_at", before)):
        change(
            traded,
            f"UPDATE orders SET {column} = {column} + {moved} WHERE signal_timestamp >= {first}",
        )
    assert differences(traded) == []
