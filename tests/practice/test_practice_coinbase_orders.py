from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from tests.practice.running import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.practice.running import Practice

SYMBOL = "BTC/USD"
LOW = 20_000.0


def traded(
    practice: Practice, question: Callable[[Any], Any], key: str = CREDENTIALS["apiKey"]
) -> Any:
    return practice.traded(question, key, exchange="coinbase")


def test_a_market_buy_spends_a_cost_with_the_fee_inside_and_leaves_the_whole_amount(
    practice: Practice, key: str
) -> None:
    async def buy(client: Any) -> Any:
        ask = (await client.fetch_ticker(SYMBOL))["ask"]
        placed = await client.create_order(SYMBOL, "market", "buy", 0.1, ask)
        order = await client.fetch_order(placed["id"], SYMBOL)
        trades = await client.fetch_my_trades(SYMBOL)
        return ask, placed, order, trades, await client.fetch_balance({"v3": True})

    ask, placed, order, trades, balance = traded(practice, buy, key)
    assert (placed["status"], placed["filled"], placed["type"]) == (None, None, None)
    assert order["status"] == "closed"
    assert 0.0998 < order["filled"] < 0.1
    assert order["cost"] + float(order["fee"]["cost"]) <= 0.1 * ask
    assert isinstance(order["fee"]["cost"], str)
    assert {trade["fee"]["currency"] for trade in trades} == {"USD"}
    assert sum(trade["amount"] for trade in trades) == pytest.approx(order["filled"])
    assert balance["BTC"]["free"] == pytest.approx(2 + order["filled"])
    spent = order["cost"] + float(order["fee"]["cost"])
    assert balance["USD"]["free"] == pytest.approx(1_000_000 - spent)


def test_a_market_buy_needs_a_price_or_a_cost(practice: Practice, key: str) -> None:
    async def buy(client: Any) -> Any:
        with pytest.raises(ccxt.InvalidOrder, match="requires a price"):
            await client.create_order(SYMBOL, "market", "buy", 0.1)
        placed = await client.create_order(SYMBOL, "market", "buy", None, None, {"cost": 1000})
        return await client.fetch_order(placed["id"], SYMBOL)

    order = traded(practice, buy, key)
    assert order["info"]["order_configuration"] == {"market_market_ioc": {"quote_size": "1000"}}
    spent = Decimal(order["info"]["total_value_after_fees"])
    assert 1000 - 1 < spent <= 1000


def test_a_market_sale_is_for_an_amount_and_fills_level_by_level(
    practice: Practice, key: str
) -> None:
    async def sell(client: Any) -> Any:
        placed = await client.create_order(SYMBOL, "market", "sell", 2)
        found = await client.fetch_my_trades(SYMBOL, params={"order_id": placed["id"]})
        return await client.fetch_order(placed["id"], SYMBOL), found

    order, trades = traded(practice, sell, key)
    assert (order["status"], order["amount"], order["filled"]) == ("closed", 2, 2)
    prices = [trade["price"] for trade in sorted(trades, key=lambda trade: -trade["price"])]
    assert len(prices) == 3
    assert prices == sorted(set(prices), reverse=True)
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}


def test_a_client_order_id_that_was_used_before_leads_to_the_original_order(
    practice: Practice, key: str
) -> None:
    same = {"client_order_id": "twice"}

    async def twice(client: Any) -> Any:
        first = await client.create_order(SYMBOL, "market", "sell", 0.1, None, same)
        second = await client.create_order(SYMBOL, "limit", "buy", 0.5, LOW, same)
        return first, second, await client.fetch_orders(SYMBOL)

    first, second, orders = traded(practice, twice, key)
    assert first["id"] == second["id"]
    assert [(one["id"], one["clientOrderId"]) for one in orders] == [(first["id"], "twice")]


def test_ccxt_drops_the_unified_client_order_id(practice: Practice, key: str) -> None:
    async def place(client: Any) -> Any:
        return await client.create_order(
            SYMBOL, "limit", "buy", 0.01, LOW, {"clientOrderId": "mine"}
        )

    assert traded(practice, place, key)["clientOrderId"].startswith("ccxt-")


def test_orders_and_trades_can_be_narrowed_down_and_come_page_by_page(
    practice: Practice, key: str
) -> None:
    async def place(client: Any) -> Any:
        for price in (1, 2, 3):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, LOW + price)
        await client.create_order("ETH/USD", "limit", "buy", 0.01, 1000)
        await client.create_order(SYMBOL, "market", "sell", 1.5)
        since = (await client.fetch_orders(SYMBOL))[2]["timestamp"]
        return (
            await client.fetch_orders(SYMBOL, None, 3),
            await client.fetch_orders(SYMBOL, since),
            await client.fetch_open_orders(),
            await pages(client, "orders", {"order_status": "OPEN", "limit": 2}),
            await pages(client, "fills", {"product_ids": ["BTC-USD", "ETH-USD"], "limit": 1}),
            await client.fetch_my_trades(SYMBOL, None, None, {"until": since - 60_000}),
        )

    async def pages(client: Any, rows: str, query: dict[str, Any]) -> list[Any]:
        batch = client.v3_private_get_brokerage_orders_historical_batch
        fills = client.v3_private_get_brokerage_orders_historical_fills
        cursor = ""
        found: list[list[str]] = []
        while not found or cursor:
            page = await (batch if rows == "orders" else fills)({**query, "cursor": cursor})
            found.append([row["order_id"] for row in page[rows]])
            cursor = page["cursor"]
        return found

    newest, later, opened, paged, trades, none = traded(practice, place, key)
    assert [order["price"] for order in newest[:2]] == [LOW + 2, LOW + 3]
    assert newest[2]["side"] == "sell"
    assert LOW + 1 not in {order["price"] for order in later}
    assert {order["symbol"] for order in opened} == {SYMBOL, "ETH/USD"}
    assert paged[0] + paged[1] == [order["id"] for order in opened[::-1]]
    assert [len(page) for page in paged] == [2, 2]
    assert trades == [[newest[2]["id"]]] * 2
    assert none == []


def test_the_older_balance_does_not_tell_what_is_held(practice: Practice, key: str) -> None:
    async def look(client: Any) -> Any:
        await client.create_order(SYMBOL, "limit", "buy", 0.01, LOW)
        return await client.fetch_balance()

    assert traded(practice, look, key)["USD"] == {
        "free": 1_000_000,
        "used": 0,
        "total": 1_000_000,
    }


def test_a_client_with_keys_learns_the_fee_rate_with_the_markets(practice: Practice) -> None:
    async def ask(client: Any) -> Any:
        await client.load_markets(reload=True)
        return client.market(SYMBOL)

    market = traded(practice, ask)
    assert (market["taker"], market["maker"]) == (0.001, 0.001)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("market", "buy", 100, 70_000), ccxt.InsufficientFunds, "INSUFFICIENT_FUND"),
        (("market", "sell", 5), ccxt.InsufficientFunds, "INSUFFICIENT_FUND"),
        (("limit", "buy", 49.99, LOW), ccxt.InsufficientFunds, "INSUFFICIENT_FUND"),
        (("limit", "buy", 0.00001, LOW), ccxt.ExchangeError, "QUOTE_SIZE_TOO_SMALL"),
        (("market", "buy", 0.9, 1), ccxt.ExchangeError, "QUOTE_SIZE_TOO_SMALL"),
        (("limit", "buy", 10_000_000, LOW), ccxt.ExchangeError, "BASE_SIZE_TOO_LARGE"),
    ],
)
def test_an_order_that_coinbase_would_refuse_is_refused_in_the_same_way(
    practice: Practice, key: str, arguments: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=text) as raised:
        traded(practice, lambda client: client.create_order(SYMBOL, *arguments), key)
    assert raised.type is error


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"product_id": "NOPE-USD"}, ccxt.ExchangeError, "INVALID_PRODUCT_ID"),
        ({"side": "HOLD"}, ccxt.BadRequest, "side"),
        ({"client_order_id": ""}, ccxt.BadRequest, "client_order_id"),
        ({"leverage": "2"}, ccxt.BadRequest, "leverage"),
        ({"order_configuration": {}}, ccxt.BadRequest, "expected exactly one"),
        ({"base_size": "0.000001"}, ccxt.ExchangeError, "BASE_SIZE_TOO_SMALL"),
        ({"base_size": "0.010001"}, ccxt.ExchangeError, "SIZE_PRECISION"),
        ({"base_size": "-1"}, ccxt.BadRequest, "base_size"),
        ({"limit_price": "20000.001"}, ccxt.ExchangeError, "PRICE_PRECISION"),
        ({"quote_size": "100"}, ccxt.ExchangeError, "INVALID_ORDER_CONFIG"),
    ],
)
def test_parameters_that_ccxt_would_not_send_are_refused_too(
    practice: Practice, changed: dict[str, Any], error: type[Exception], text: str
) -> None:
    limit = {"base_size": "0.01", "limit_price": "20000"}
    right = {
        "product_id": "BTC-USD",
        "side": "BUY",
        "client_order_id": "right",
        "order_configuration": {"limit_limit_gtc": limit},
    }
    top = {name: value for name, value in changed.items() if name in {*right, "leverage"}}
    limit |= {name: value for name, value in changed.items() if name not in top}
    with pytest.raises(ccxt.BaseError, match=text) as raised:
        traded(practice, lambda client: client.v3_private_post_brokerage_orders({**right, **top}))
    assert raised.type is error


def test_a_stop_order_is_refused_instead_of_taken_for_another(practice: Practice) -> None:
    async def place(client: Any) -> Any:
        await client.create_order(SYMBOL, "limit", "buy", 0.01, LOW, {"stopPrice": LOW})

    with pytest.raises(ccxt.ExchangeError, match="UNSUPPORTED_ORDER_CONFIGURATION"):
        traded(practice, place)


@pytest.mark.parametrize("unknown", ["nope", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"])
def test_orders_that_nobody_placed_are_not_found(practice: Practice, unknown: str) -> None:
    with pytest.raises(ccxt.ExchangeError, match="not found") as raised:
        traded(practice, lambda client: client.fetch_order(unknown, SYMBOL))
    assert raised.type is ccxt.ExchangeError
    with pytest.raises(ccxt.BadRequest, match="cancelOrders"):
        traded(practice, lambda client: client.cancel_order(unknown, SYMBOL))


def test_an_order_is_nobody_else_s(practice: Practice, key: str) -> None:
    order = traded(
        practice, lambda client: client.create_order(SYMBOL, "limit", "buy", 0.01, LOW), key
    )
    with pytest.raises(ccxt.ExchangeError, match="not found"):
        traded(practice, lambda client: client.fetch_order(order["id"], SYMBOL))


def test_nothing_is_created_or_destroyed_but_fees(practice: Practice, key: str) -> None:
    async def trade(client: Any) -> Any:
        ask = (await client.fetch_ticker(SYMBOL))["ask"]
        await client.create_order(SYMBOL, "market", "buy", 1.2345, ask)
        await client.create_order(SYMBOL, "market", "sell", 2.1)
        await client.create_order(SYMBOL, "limit", "buy", 1.5, ask + 1)
        await client.create_order(SYMBOL, "limit", "sell", 0.2, ask * 2)
        balance = await client.fetch_balance({"v3": True})
        return balance, await client.fetch_my_trades(SYMBOL)

    balance, trades = traded(practice, trade, key)
    base, quote = Decimal(2), Decimal(1_000_000)
    for fill in (one["info"] for one in trades):
        size, price = Decimal(fill["size"]), Decimal(fill["price"])
        cost = size if fill["size_in_quote"] else size * price
        sign = 1 if fill["side"] == "BUY" else -1
        base += sign * cost / price
        quote -= sign * cost + Decimal(fill["commission"])
    held = {
        one["currency"]: Decimal(one["available_balance"]["value"]) + Decimal(one["hold"]["value"])
        for one in balance["info"]["accounts"]
    }
    assert (held["BTC"], held["USD"]) == (base, quote)
