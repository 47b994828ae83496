"""From candles and prices to signals, orders, trades and positions, at times that the test chooses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import structlog.testing

from common.controls import FLEET, Control, Controls, ControlState
from common.database import DatabaseLocked
from common.errors import ConfigurationError
from common.exchange_status import Market
from tests.trader.market import NOON, TestMarket
from tests.trader.running import count, rows
from tests.trader.stage import BALANCE, ID, RULES, STRATEGY, advance, engine_on, register
from trader.brokers.paper import PaperBroker
from trader.core.order import OrderType
from trader.ledger import Ledger
from trader.roles import UnexplainedError

if TYPE_CHECKING:
    from common.database import Database
    from trader.core.books import Books
    from trader.core.rules import Rules

WARM = STRATEGY.warmup
CALM = [100.0, 101.0] * 100  # an RSI around 50
UNGUARDED = replace(RULES, stop_loss=None, take_profit=None)


@pytest.fixture
def ready(market: TestMarket) -> TestMarket:
    """A registered strategy, and one candle less than it needs."""
    register(market)
    market.add(*CALM[: WARM - 1])
    return market


def decisions(database: Database) -> list[tuple[object, ...]]:
    return rows(database, "SELECT signal, decision FROM signals ORDER BY timestamp")


def orders(database: Database) -> list[tuple[object, ...]]:
    return rows(database, "SELECT side, status FROM orders ORDER BY order_id")


def test_it_waits_until_markets_and_clock_are_known(database_url):
    market = TestMarket(database_url)
    register(market)
    progress = advance(engine_on(market))
    assert (progress.state, progress.detail) == ("waiting", "for the backfiller to reach binance")


def test_it_waits_for_its_warm_up_and_says_how_far_it_is(ready):
    progress = advance(engine_on(ready))
    assert (progress.state, progress.detail) == ("waiting", "40 of 41 candles")
    assert count(ready.database, "signals") == 0


def test_it_does_not_begin_on_history_that_has_not_reached_the_present(ready):
    ready.add(101.0)
    ready.skip(5)
    ready.set_clock(ready.next)
    assert advance(engine_on(ready)).detail == "for 5 more candles, up to the present"


def test_it_begins_with_the_newest_candle_alone(ready):
    newest = ready.add(*CALM[:5])
    assert advance(engine_on(ready)).state == "running"
    assert rows(ready.database, "SELECT timestamp FROM signals") == [(newest,)]


@pytest.mark.parametrize("close", [101.0, 90.0], ids=["a hold", "an entry"])
def test_no_signal_is_logged_that_was_not_written(ready, close):
    class Locked(Ledger):
        def record_signals(self, *_: object, **__: object) -> str | None:
            raise DatabaseLocked("by another process")

    ready.add(close)
    with structlog.testing.capture_logs() as logged:
        engine = engine_on(ready, written_by=lambda _: Locked(ready.database, ID, BALANCE))
        with pytest.raises(DatabaseLocked):
            engine.advance()
    assert [line["event"] for line in logged] == []


def test_a_buy_and_a_sell_signal_make_a_round_trip(ready):
    engine = engine_on(ready, rules=UNGUARDED)
    ready.add(90.0)
    advance(engine)
    assert decisions(ready.database) == [("buy", "buy 3.33")]
    assert orders(ready.database) == [("buy", "new")]
    ready.tick(90.0, spread=2, at=ready.next)
    advance(engine)
    ready.add(120.0)
    advance(engine)
    ready.tick(120.0, spread=2, at=ready.next)
    advance(engine)
    assert orders(ready.database) == [("buy", "filled"), ("sell", "filled")]
    assert rows(
        ready.database,
        "SELECT side, price, fee, fee_currency, realised_profit, exchange_trade_id LIKE 'paper-cw%-1' FROM trades",
    ) == [
        ("buy", "91", "0.30303", "USDT", "0", 1),
        ("sell", "119", "0.39627", "USDT", "92.5407", 1),
    ]
    assert rows(
        ready.database,
        "SELECT status, amount, entry_cost, realised_profit, fees, opened_at, closed_at, exit_reason FROM positions",
    ) == [
        (
            *("closed", "0", "0", "92.5407", "0.6993"),
            *(ready.next - ready.length, ready.next, "rsi is above 70"),
        )
    ]


def test_the_order_is_filled_at_the_first_price_after_the_decision_not_at_the_newest(ready):
    ready.tick(50.0, at=NOON)
    ready.add(90.0)
    engine = engine_on(ready, rules=UNGUARDED)
    advance(engine)
    assert orders(ready.database) == [("buy", "new")]
    ready.tick(91.0, at=ready.next + 1)
    ready.tick(92.0, at=ready.next + 2)
    advance(engine)
    assert rows(ready.database, "SELECT price, timestamp FROM trades") == [("91", ready.next + 1)]


def test_candles_that_came_while_it_was_away_are_evaluated_in_order_and_open_nothing(ready):
    ready.add(101.0)
    advance(engine_on(ready))
    ready.add(90.0, 80.0, 70.0)
    advance(engine_on(ready))
    old = "no trade: a newer candle has closed"
    assert decisions(ready.database)[1:] == [("buy", old), ("buy", old), ("buy", "buy 4.28143")]


def test_a_sell_signal_that_was_missed_still_closes_the_position(ready):
    engine = engine_on(ready, rules=UNGUARDED)
    ready.add(90.0)
    advance(engine)
    ready.tick(90.0, at=ready.next)
    advance(engine)
    ready.add(120.0, 119.0, 118.0)
    advance(engine_on(ready, rules=UNGUARDED))
    assert [decision for _, decision in decisions(ready.database)[1:3]] == [
        "sell 3.33",
        "no trade: order pending",
    ]
    assert orders(ready.database)[-1] == ("sell", "new")


def test_three_hundred_missed_candles_are_evaluated_a_part_at_a_time(ready):
    ready.add(101.0)
    advance(engine_on(ready))
    ready.add(*CALM, *CALM[:100])
    engine = engine_on(ready)
    assert engine.advance().more
    assert count(ready.database, "signals") == 51
    advance(engine)
    assert count(ready.database, "signals") == 301


def test_a_candle_that_closed_too_long_ago_opens_nothing(ready):
    ready.add(90.0)
    ready.set_clock(ready.next + 400_000)
    advance(engine_on(ready))
    assert decisions(ready.database) == [("buy", "no trade: candle closed 400 s ago, limit 120 s")]


def test_a_window_with_missing_candles_is_not_evaluated_and_they_are_named(ready):
    ready.skip(2)
    ready.add(*[50.0] * (WARM - 2))
    advance(engine_on(ready))
    assert rows(
        ready.database, "SELECT signal, rsi, indicators, reason, decision FROM signals"
    ) == [
        (
            *("hold", None, "{}"),
            "2 of 41 candles missing, the first at 2026-01-03 04:00 UTC",
            "no trade: signal is hold",
        )
    ]


def test_a_market_that_stands_still_is_no_signal(ready):
    ready.add(*[100.0] * WARM)
    advance(engine_on(ready))
    assert rows(ready.database, "SELECT signal, rsi, indicators, reason FROM signals") == [
        ("hold", None, '{"rsi": null}', "flat market: 41 equal closes")
    ]


def test_a_strategy_that_fails_does_not_take_the_stop_loss_with_it(ready, monkeypatch):
    engine = engine_on(ready)
    ready.add(90.0)
    advance(engine)
    ready.tick(90.0, at=ready.next)
    advance(engine)
    monkeypatch.setattr(STRATEGY.__class__, "evaluate", lambda *_: 1 / 0)
    ready.add(80.0)
    ready.tick(80.0, at=ready.next)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            engine_on(ready).advance()
        ready.tick(80.0, at=ready.next + 60_000)
    assert orders(ready.database) == [("buy", "filled"), ("sell", "filled")]


def test_the_stop_loss_acts_between_candles(ready):
    engine = engine_on(ready)
    ready.add(90.0)
    advance(engine)
    ready.tick(90.0, at=ready.next)
    advance(engine)
    ready.tick(87.4, at=ready.next + 1)
    advance(engine)
    assert orders(ready.database) == [("buy", "filled")]
    ready.set_clock(ready.next + 2)
    ready.tick(87.3, at=ready.next + 2)
    advance(engine)
    ready.tick(87.2, at=ready.next + 3)
    advance(engine)
    assert orders(ready.database)[1] == ("sell", "filled")
    assert rows(ready.database, "SELECT exit_reason FROM positions") == [
        ("stop-loss: price 87.3 is at or below 87.3873",)
    ]


@pytest.mark.parametrize("scope", [ID, FLEET])
def test_halted_there_are_no_orders_at_all(ready, scope):
    engine = engine_on(ready)
    ready.add(90.0)
    advance(engine)
    ready.tick(90.0, at=ready.next)
    advance(engine)
    Controls(ready.database).set(scope, Control(ControlState.HALTED, "news"))
    ready.tick(50.0, at=ready.next + 1)
    ready.add(130.0)
    assert advance(engine).detail == "halted (news)"
    assert decisions(ready.database)[-1] == ("sell", "no trade: halted (news)")
    assert orders(ready.database) == [("buy", "filled")]


def test_reduce_only_lets_nothing_in_and_everything_out(ready):
    engine = engine_on(ready, rules=UNGUARDED)
    ready.add(90.0)
    advance(engine)
    ready.tick(90.0, at=ready.next)
    advance(engine)
    Controls(ready.database).set(ID, Control(ControlState.REDUCE_ONLY, "news"))
    ready.add(130.0)
    advance(engine)
    ready.tick(130.0, at=ready.next)
    advance(engine)
    ready.add(60.0)
    advance(engine)
    assert [decision for _, decision in decisions(ready.database)] == [
        "buy 3.33",
        "sell 3.33",
        "no trade: reduce-only (news)",
    ]


@pytest.mark.parametrize(
    ("price", "after_ms", "clock_ms", "why"),
    [
        (None, 0, 120_001, "no price came within 120 s of the decision"),
        (90.0, 121_000, 121_000, "no price came within 120 s of the decision"),
        (90.0, 1_000, 61_001 + 1_000, "the price is 61 s old, limit 60 s"),
        (
            *(400.0, 0, 0),
            "cost and fee are 1333.332, more than the cash 1000, at price 400",
        ),
    ],
)
def test_an_entry_is_given_up(ready, price, after_ms, clock_ms, why):
    engine = engine_on(ready)
    ready.add(90.0)
    advance(engine)
    if price is not None:
        ready.tick(price, at=ready.next + after_ms)
    ready.set_clock(ready.next + clock_ms)
    advance(engine)
    assert rows(ready.database, "SELECT status, reason, failure FROM orders") == [
        ("rejected", "rsi is below 30", why)
    ]
    assert count(ready.database, "trades") == 0
    ready.add(80.0)
    advance(engine)
    assert decisions(ready.database)[-1] == ("buy", "buy 3.74625")


def test_an_exit_is_filled_however_old_the_price_is(ready):
    engine = engine_on(ready, rules=UNGUARDED)
    ready.add(90.0)
    advance(engine)
    ready.tick(90.0, at=ready.next)
    advance(engine)
    ready.add(130.0)
    advance(engine)
    ready.tick(130.0, at=ready.next)
    ready.set_clock(ready.next + 3_000_000)
    advance(engine)
    assert orders(ready.database)[1] == ("sell", "filled")


def test_a_signal_and_its_order_are_written_together_or_not_at_all(ready):
    first, second = engine_on(ready), engine_on(ready)
    ready.add(90.0)
    advance(first)
    with ready.database.write() as connection:
        connection.execute(sa.text("DELETE FROM signals"))
    # The second does not know of the first one's order, which it decides on too.
    with pytest.raises(sa.exc.IntegrityError):
        advance(second)
    assert count(ready.database, "signals") == 0
    assert count(ready.database, "orders") == 1


@pytest.mark.parametrize(
    ("markets", "timeframes", "key"),
    [
        ([Market("ETH/USDT")], ["1h"], "SYMBOL: expected a market of binance, found BTC/USDT"),
        (
            *([Market("BTC/USDT")], ["5m", "1d"]),
            r"TIMEFRAME: expected one that binance offers \(5m, 1d\), found 1h",
        ),
    ],
)
def test_a_market_that_the_exchange_turns_out_not_to_have_ends_it(
    database_url, markets, timeframes, key
):
    market = TestMarket(database_url)
    register(market)
    engine = engine_on(market)
    advance(engine)
    market.open(markets, timeframes)
    with pytest.raises(ConfigurationError, match=key):
        advance(engine)


def test_amounts_are_whole_multiples_of_eight_decimals_where_the_market_tells_no_step(ready):
    ready.open([Market("BTC/USDT")])
    ready.add(90.0)
    advance(engine_on(ready))
    assert rows(ready.database, "SELECT amount FROM orders") == [(str(Decimal("3.33000333")),)]


def test_a_trailing_stop_follows_what_was_seen_between_candles_also_after_a_restart(ready):
    rules = replace(UNGUARDED, trailing_stop=Decimal("0.1"))
    bought(ready, rules)
    for at, price in enumerate((110.0, 120.0, 109.0), start=2):
        ready.tick(price, at=ready.next + at)
        advance(engine_on(ready, rules=rules))
    assert orders(ready.database) == [("buy", "filled")]
    ready.tick(107.9, at=ready.next + 5)
    advance(engine_on(ready, rules=rules))
    assert rows(ready.database, "SELECT purpose, reason FROM orders WHERE side = 'sell'") == [
        ("trailing-stop", "trailing-stop: price 107.9 is at or below 108")
    ]


def test_a_trailing_stop_compares_a_price_with_what_was_seen_before_it_not_after(ready):
    rules = replace(UNGUARDED, trailing_stop=Decimal("0.1"))
    bought(ready, rules)
    ready.tick(91.0, at=ready.next + 2)
    ready.add(91.0, 91.0, high=150.0)  # and no ticker since: the exchange tells none
    advance(engine_on(ready, rules=rules))
    assert orders(ready.database) == [("buy", "filled")]
    ready.tick(134.0)
    advance(engine_on(ready, rules=rules))
    assert rows(ready.database, "SELECT reason FROM orders WHERE side = 'sell'") == [
        ("trailing-stop: price 134 is at or below 135",)
    ]


def test_a_limit_of_the_equity_ends_entries_with_its_reason_and_a_person_resumes(ready):
    rules = replace(UNGUARDED, max_drawdown=Decimal("0.05"))
    bought(ready, rules)
    engine = engine_on(ready, rules=rules)
    ready.add(50.0)
    advance(engine)
    why = "drawdown 13.35% has reached its limit 5.00%"
    assert rows(ready.database, "SELECT scope, state, reason, until FROM controls") == [
        (ID, "reduce_only", why, None)
    ]
    ready.add(120.0)  # an exit is no entry
    advance(engine)
    ready.tick(120.0, at=ready.next)
    ready.add(80.0, 60.0)
    progress = advance(engine)
    assert decisions(ready.database)[-1] == ("buy", f"no trade: reduce-only ({why})")
    assert progress.detail == f"reduce-only ({why})"
    Controls(ready.database).set(ID, Control())
    ready.add(50.0)
    advance(engine)
    assert str(decisions(ready.database)[-1][1]).startswith("buy")


def test_a_limit_exit_that_rests_for_too_long_goes_out_at_the_market(ready):
    rules = replace(UNGUARDED, order_type=OrderType.LIMIT)
    ready.add(90.0)
    engine = engine_on(ready, rules=rules)
    advance(engine)
    ready.tick(90.0, at=ready.next)
    advance(engine)
    ready.add(120.0)
    advance(engine)
    ready.tick(110.0, at=ready.next + 1)
    ready.set_clock(ready.next + 60_001)
    advance(engine)
    ready.tick(109.0, at=ready.next + 60_002)
    advance(engine)
    ready.tick(108.0, at=ready.next + 61_003)
    advance(engine)
    assert rows(ready.database, "SELECT side, type, status, failure FROM orders") == [
        ("buy", "limit", "filled", None),
        ("sell", "limit", "canceled", "not filled within 60 s"),
        ("sell", "market", "filled", None),
    ]
    assert count(ready.database, "positions WHERE status = 'open'") == 0


def test_a_position_that_is_worth_too_little_to_sell_is_written_off_by_its_stop(ready):
    bought(ready, RULES)
    ready.tick(1.0, at=ready.next + 2)
    advance(engine_on(ready))
    assert orders(ready.database) == [("buy", "filled")]
    assert rows(ready.database, "SELECT status, dust, exit_reason FROM positions") == [
        (
            *("closed", "3.33"),
            "stop-loss: price 1 is at or below 87.3873; too little to sell: "
            "cost 3.33 is below the market's least, 5",
        )
    ]


def test_a_broker_whose_books_differ_halts_the_strategy_which_sells_nothing(ready):
    class Estranged(PaperBroker):
        def reconcile(self, books: Books) -> None:
            raise UnexplainedError("expected 3.33 BTC, found 1")

    bought(ready, RULES)
    engine = engine_on(ready, broker=Estranged)
    ready.tick(50.0, at=ready.next + 2)
    progress = advance(engine)
    assert progress.detail == "halted (not reconciled: expected 3.33 BTC, found 1)"
    assert orders(ready.database) == [("buy", "filled")]
    assert rows(ready.database, "SELECT level, kind FROM events") == [("error", "halted")]


def bought(market: TestMarket, rules: Rules) -> None:
    """3.33 at 90, since just after the newest candle."""
    market.add(90.0)
    engine = engine_on(market, rules=rules)
    advance(engine)
    market.tick(90.0, at=market.next + 1)
    advance(engine)
    assert orders(market.database) == [("buy", "filled")]
