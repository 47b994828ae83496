from __future__ import annotations

import json
import urllib.error
import urllib.request
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from tests.practice.running import CREDENTIALS

if TYPE_CHECKING:
    from tests.practice.running import Practice

SYMBOL = "BTC/USDT"


def test_a_market_buy_fills_at_the_ask_and_pays_its_fee_in_the_coin_that_is_bought(
    practice: Practice, key: str
) -> None:

    async def buy(client: Any) -> Any:
        before = await client.fetch_ticker(SYMBOL)
        order = await client.create_order(SYMBOL, "market", "buy", 0.1)
        return before, order, await client.fetch_balance(), await client.fetch_my_trades(SYMBOL)

    ticker, order, balance, trades = practice.traded(buy, key)
    assert order["status"] == "closed"
    assert order["filled"] == 0.1
    assert order["average"] == pytest.approx(ticker["ask"], rel=1e-4)
    assert balance["BTC"]["free"] == 2.0999
    assert balance["USDT"]["free"] == pytest.approx(1_000_000 - order["cost"])
    assert [trade["fee"] for trade in trades] == [{"currency": "BTC", "cost": 0.0001}]
    assert trades[0]["id"] == order["trades"][0]["id"]


def test_a_market_order_larger_than_the_best_level_fills_in_several_trades_at_worse_prices(
    practice: Practice, key: str
) -> None:
    order = practice.traded(lambda client: client.create_order(SYMBOL, "market", "buy", 2.0), key)
    prices = [trade["price"] for trade in order["trades"]]
    assert len(prices) == 3
    assert prices == sorted(set(prices))
    assert order["filled"] == 2.0


def test_a_market_order_given_a_cost_spends_no_more_than_that(practice: Practice, key: str) -> None:
    order = practice.traded(
        lambda client: client.create_market_buy_order_with_cost(SYMBOL, 1000), key
    )
    assert 1000 - 1 < order["cost"] <= 1000


def test_a_limit_order_rests_locks_its_money_and_gives_it_back_when_canceled(
    practice: Practice,
) -> None:
    async def rest(client: Any) -> Any:
        order = await client.create_order(
            SYMBOL, "limit", "buy", 0.01, 20_000, {"clientOrderId": "resting-1"}
        )
        found = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "resting-1"})
        same = await client.fetch_order(order["id"], SYMBOL)
        locked = await client.fetch_balance()
        listed = await client.fetch_open_orders(SYMBOL)
        canceled = await client.cancel_order(order["id"], SYMBOL)
        return order, found, same, locked, listed, canceled, await client.fetch_balance()

    order, found, same, locked, listed, canceled, released = practice.traded(rest)
    assert order["status"] == "open"
    assert found["id"] == same["id"] == order["id"]
    assert found["clientOrderId"] == "resting-1"
    assert locked["USDT"]["used"] == 200
    assert [one["id"] for one in listed] == [order["id"]]
    assert canceled["status"] == "canceled"
    assert released["USDT"]["used"] == 0
    assert released["USDT"]["free"] == locked["USDT"]["free"] + 200


def test_a_client_order_id_is_unique_only_while_its_order_is_open(
    practice: Practice, key: str
) -> None:
    same = {"clientOrderId": "twice"}

    async def twice(client: Any) -> Any:
        first = await client.create_order(SYMBOL, "limit", "buy", 0.001, 20_000, same)
        with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
            await client.create_order(SYMBOL, "limit", "buy", 0.001, 20_000, same)
        await client.cancel_order(first["id"], SYMBOL)
        await client.create_order(SYMBOL, "market", "buy", 0.001, None, same)
        return await client.create_order(SYMBOL, "market", "buy", 0.001, None, same)

    assert practice.traded(twice, key)["filled"] == 0.001
    assert len(practice.traded(lambda client: client.fetch_my_trades(SYMBOL), key)) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("market", "buy", 100.0), ccxt.InsufficientFunds, "insufficient balance"),
        (("market", "sell", 5.0), ccxt.InsufficientFunds, "insufficient balance"),
        (("limit", "buy", 0.0001, 20_000.0), ccxt.BadRequest, "NOTIONAL"),
        (
            ("limit", "buy", 0.01, 90_000.0, {"postOnly": True}),
            ccxt.OrderImmediatelyFillable,
            "match",
        ),
    ],
)
def test_an_order_that_binance_would_refuse_is_refused_in_the_same_way(
    practice: Practice, arguments: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        practice.traded(lambda client: client.create_order(SYMBOL, *arguments))


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"quantity": "0.0000001"}, ccxt.InvalidOrder, "LOT_SIZE"),
        ({"quantity": "0.010000001"}, ccxt.InvalidOrder, "LOT_SIZE"),
        ({"price": "20000.001"}, ccxt.InvalidOrder, "PRICE_FILTER"),
        ({"price": "-1"}, ccxt.BadRequest, "Illegal characters"),
        ({"symbol": "NOPEUSDT"}, ccxt.BadSymbol, "Invalid symbol"),
        ({"newClientOrderId": "no spaces"}, ccxt.BadRequest, "newClientOrderId"),
        ({"side": "HOLD"}, ccxt.BadRequest, "Invalid side"),
        ({"quantity": ""}, ccxt.BadRequest, "-1102"),
        ({"quoteOrderQty": "5", "type": "MARKET"}, ccxt.BadRequest, "-1102"),
        ({"timeInForce": "SOON"}, ccxt.BadRequest, "-1115"),
        ({"type": "STOP"}, ccxt.BadRequest, "-1116"),
        ({"recvWindow": "60001"}, ccxt.ExchangeError, "-1131"),
    ],
)
def test_parameters_that_ccxt_would_have_rounded_are_refused_too(
    practice: Practice, changed: dict[str, str], error: type[Exception], text: str
) -> None:
    right = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "20000",
    }
    with pytest.raises(error, match=text):
        practice.traded(lambda client: client.private_post_order({**right, **changed}))


def test_orders_that_nobody_placed_are_not_found(practice: Practice) -> None:
    with pytest.raises(ccxt.OrderNotFound, match="Order does not exist"):
        practice.traded(lambda client: client.fetch_order("999999", SYMBOL))
    with pytest.raises(ccxt.OrderNotFound, match="Unknown order sent"):
        practice.traded(lambda client: client.cancel_order("999999", SYMBOL))


@pytest.mark.parametrize(
    ("credentials", "error", "text"),
    [
        ({"apiKey": "stranger"}, ccxt.AuthenticationError, "-2015"),
        ({"secret": "wrong"}, ccxt.AuthenticationError, "-1022"),
    ],
)
def test_a_request_without_the_right_key_and_signature_is_refused(
    practice: Practice, credentials: dict[str, str], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        practice.asked(
            "binance", lambda client: client.fetch_balance(), **CREDENTIALS | credentials
        )


def test_a_request_without_any_key_is_refused(practice: Practice) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{practice.url}/binance/api/v3/account")
    assert raised.value.code == 401
    assert json.load(raised.value)["code"] == -2014


@pytest.mark.parametrize("skew_ms", [-60_000, 60_000])
def test_a_client_whose_clock_is_a_minute_off_is_refused(practice: Practice, skew_ms: int) -> None:
    async def skewed(client: Any) -> Any:
        client.options["timeDifference"] = -skew_ms
        return await client.fetch_balance()

    with pytest.raises(ccxt.InvalidNonce):
        practice.freshly_asked("binance", skewed, **CREDENTIALS)


def test_nothing_is_created_or_destroyed_but_fees(practice: Practice, key: str) -> None:

    async def trade(client: Any) -> Any:
        ask = (await client.fetch_ticker(SYMBOL))["ask"]
        await client.create_order(SYMBOL, "market", "buy", 1.2345)
        await client.create_order(SYMBOL, "market", "sell", 2.1)
        await client.create_order(SYMBOL, "limit", "buy", 1.5, ask + 1)
        await client.create_order(SYMBOL, "limit", "sell", 0.2, ask * 2)
        return await client.fetch_balance(), await client.fetch_my_trades(SYMBOL)

    balance, trades = practice.traded(trade, key)
    base, quote = Decimal(2), Decimal(1_000_000)
    for fill in (one["info"] for one in trades):
        amount, cost, fee = (Decimal(fill[key]) for key in ("qty", "quoteQty", "commission"))
        base += amount - fee if fill["isBuyer"] else -amount
        quote += -cost if fill["isBuyer"] else cost - fee
    rows = {one["asset"]: one for one in balance["info"]["balances"]}
    held = {name: Decimal(row["free"]) + Decimal(row["locked"]) for name, row in rows.items()}
    assert (held["BTC"], held["USDT"]) == (base, quote)
