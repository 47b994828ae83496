"""What orders do at all three exchanges alike, asked for as each of them wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from tests.practice.dialects import DIALECTS, Dialect
from tests.practice.running import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.practice.running import Practice

EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.exchange)
LOW, HIGH = 20_000.0, 90_000.0


@EACH
def test_a_resting_buy_locks_what_it_may_cost_and_gives_all_of_it_back_when_canceled(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    async def rest(client: Any) -> Any:
        placed = await dialect.limited(client, "buy", 0.01, LOW)
        order = await client.fetch_order(placed["id"], dialect.symbol)
        locked = await dialect.balance(client)
        listed = await client.fetch_open_orders(dialect.symbol)
        await client.cancel_order(placed["id"], dialect.symbol)
        canceled = await client.fetch_order(placed["id"], dialect.symbol)
        return order, locked, listed, canceled, await dialect.balance(client)

    order, locked, listed, canceled, released = practice.traded(rest, key, dialect.exchange)
    assert (order["status"], order["type"], order["price"]) == ("open", "limit", LOW)
    used = 200 if dialect.exchange == "binance" else 200.2  # which takes its fee in the base coin
    assert locked[dialect.quote] == {"free": 1_000_000 - used, "used": used, "total": 1_000_000}
    assert [one["id"] for one in listed] == [order["id"]]
    assert (canceled["status"], canceled["filled"]) == ("canceled", 0)
    assert released[dialect.quote] == {"free": 1_000_000, "used": 0, "total": 1_000_000}


@EACH
def test_a_limit_order_fills_at_its_price_once_the_market_gets_there(
    started: Callable[..., Practice], dialect: Dialect
) -> None:
    money = ("--balance", f"{dialect.quote}=10000", "--balance", "BTC=1")
    practice = started("--speed", "7200", *money)

    async def surround(client: Any) -> None:
        last = (await client.fetch_ticker(dialect.symbol))["last"]
        await dialect.limited(client, "buy", 0.01, last * 0.995)
        await dialect.limited(client, "sell", 0.01, last * 1.005)

    async def trades(client: Any) -> Any:
        return await client.fetch_my_trades(dialect.symbol)

    async def filled(client: Any) -> Any:
        order = await client.fetch_order(trade["order"], dialect.symbol)
        return order, await client.fetch_closed_orders(dialect.symbol)

    practice.traded(surround, exchange=dialect.exchange)
    trade, *_ = eventually(lambda: practice.traded(trades, exchange=dialect.exchange))
    order, closed = practice.traded(filled, exchange=dialect.exchange)
    assert (order["status"], order["average"]) == ("closed", order["price"])
    assert order["id"] in {one["id"] for one in closed}
    assert trade["takerOrMaker"] == "maker"
    minute = trade["timestamp"] // 60_000 * 60_000
    eventually(lambda: practice.now_ms() > minute + 60_000)
    ((_, _, high, low, _, _),) = practice.truth(
        dialect.exchange, dialect.symbol, "1m", since=minute, limit=1
    )
    assert low < order["price"] if order["side"] == "buy" else high > order["price"]


@EACH
def test_a_limit_order_larger_than_the_book_is_partly_filled_and_stays_open(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    async def place(client: Any) -> Any:
        ask = (await client.fetch_ticker(dialect.symbol))["ask"]
        placed = await dialect.limited(client, "buy", 3, ask * 1.0001)
        return await client.fetch_order(placed["id"], dialect.symbol)

    order = practice.traded(place, key, dialect.exchange)
    assert order["status"] == "open"
    if dialect.exchange == "binance":
        assert order["info"]["status"] == "PARTIALLY_FILLED"
    assert 0 < order["filled"] < 3
    assert order["remaining"] == pytest.approx(3 - order["filled"])


@EACH
def test_a_post_only_order_rests_and_is_refused_where_it_would_trade(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    words = {
        "binance": "immediately match",
        "coinbase": "INVALID_LIMIT_PRICE_POST_ONLY",
        "kraken": "EOrder:Post only order",
    }

    async def place(client: Any) -> Any:
        with pytest.raises(ccxt.ExchangeError, match=words[dialect.exchange]):
            await dialect.limited(client, "buy", 0.01, HIGH, postOnly=True)
        placed = await dialect.limited(client, "buy", 0.01, LOW, postOnly=True)
        return await client.fetch_order(placed["id"], dialect.symbol)

    order = practice.traded(place, key, dialect.exchange)
    assert (order["status"], order["postOnly"]) == ("open", True)


@EACH
@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
def test_an_order_that_must_trade_at_once_ends_where_it_cannot(
    practice: Practice, key: str, dialect: Dialect, time_in_force: str
) -> None:
    async def place(client: Any) -> Any:
        placed = await dialect.limited(client, "buy", 0.01, LOW, timeInForce=time_in_force)
        return await client.fetch_order(placed["id"], dialect.symbol)

    if (dialect.exchange, time_in_force) == ("kraken", "FOK"):  # which it does not have
        with pytest.raises(ccxt.ExchangeError, match="timeinforce"):
            practice.traded(place, key, dialect.exchange)
        return
    order = practice.traded(place, key, dialect.exchange)
    assert order["status"] == ("expired" if dialect.exchange == "binance" else "canceled")
    assert order["filled"] == 0
