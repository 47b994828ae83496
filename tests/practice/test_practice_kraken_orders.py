from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

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
    return practice.traded(question, key, exchange="kraken")


def test_a_market_buy_leaves_the_whole_amount_and_pays_its_fee_in_quote(
    practice: Practice, key: str
) -> None:
    async def buy(client: Any) -> Any:
        placed = await client.create_order(SYMBOL, "market", "buy", 0.1)
        order = await client.fetch_order(placed["id"], SYMBOL)
        trades = await client.fetch_my_trades(SYMBOL)
        return placed, order, trades, await client.fetch_balance()

    placed, order, (trade,), balance = traded(practice, buy, key)
    assert (placed["status"], placed["filled"], placed["fee"]) == (None, None, None)
    assert (order["status"], order["filled"]) == ("closed", 0.1)
    assert order["fee"]["currency"] == trade["fee"]["currency"] == "USD"
    assert order["fee"]["cost"] == str(Decimal(str(order["cost"])) / 1000)
    assert trade["order"] == order["id"]
    assert balance["BTC"]["free"] == 2.1
    spent = order["cost"] + float(order["fee"]["cost"])
    assert balance["USD"]["free"] == pytest.approx(1_000_000 - spent)


def test_a_fee_in_base_leaves_less_to_sell_and_ccxt_calls_that_of_a_trade_quote(
    practice: Practice, key: str
) -> None:
    async def buy(client: Any) -> Any:
        placed = await client.create_order(SYMBOL, "market", "buy", 0.1, None, {"oflags": "fcib"})
        order = await client.fetch_order(placed["id"], SYMBOL)
        (trade,) = await client.fetch_my_trades(SYMBOL)
        return order, trade, await client.fetch_balance()

    order, trade, balance = traded(practice, buy, key)
    assert (order["fee"]["cost"], order["fee"]["currency"]) == ("0.0001", "BTC")
    assert trade["fee"] == {"cost": 0.0001, "currency": "USD"}
    assert balance["BTC"]["free"] == 2.0999


def test_a_market_order_for_a_cost_pays_its_fee_on_top(practice: Practice, key: str) -> None:
    async def buy(client: Any) -> Any:
        placed = await client.create_market_buy_order_with_cost(SYMBOL, 1000)
        return await client.fetch_order(placed["id"], SYMBOL), await client.fetch_balance()

    order, balance = traded(practice, buy, key)
    assert order["status"] == "closed"
    assert 1000 - 1 < order["cost"] <= 1000
    assert 1000 < 1_000_000 - balance["USD"]["free"] <= 1001


def test_the_trades_of_an_order_can_be_asked_for_by_their_ids(practice: Practice, key: str) -> None:
    async def sell(client: Any) -> Any:
        placed = await client.create_order(SYMBOL, "market", "sell", 2)
        order = await client.fetch_order(placed["id"], SYMBOL)
        asked = {"trades": order["trades"]}
        return order, await client.fetch_order_trades(order["id"], SYMBOL, params=asked)

    order, trades = traded(practice, sell, key)
    assert (order["status"], order["filled"]) == ("closed", 2)
    assert len({trade["price"] for trade in trades}) == 3
    assert {trade["order"] for trade in trades} == {order["id"]}
    assert sum(Decimal(trade["info"]["vol"]) for trade in trades) == 2


def test_the_average_price_of_an_order_is_cut_and_only_its_trades_are_exact(
    practice: Practice, key: str
) -> None:
    async def sell(client: Any) -> Any:
        placed = await client.create_order(SYMBOL, "market", "sell", 2)
        order = await client.fetch_order(placed["id"], SYMBOL)
        return order, await client.fetch_my_trades(SYMBOL), await client.fetch_balance()

    order, trades, balance = traded(practice, sell, key)
    cost, fee = (
        sum((Decimal(trade["info"][name]) for trade in trades), Decimal(0))
        for name in ("cost", "fee")
    )
    assert Decimal(order["info"]["price"]) == (cost / 2).quantize(Decimal("0.01"), "ROUND_DOWN")
    held = Decimal(balance["info"]["result"]["ZUSD"]["balance"])
    assert held == 1_000_000 + cost - fee


def test_a_client_order_id_is_unique_only_while_its_order_is_open(
    practice: Practice, key: str
) -> None:
    same = {"clientOrderId": "twice"}

    async def twice(client: Any) -> Any:
        await client.create_order(SYMBOL, "limit", "buy", 0.001, LOW, same)
        with pytest.raises(ccxt.ExchangeError, match="EOrder:Duplicate cl_ord_id") as raised:
            await client.create_order(SYMBOL, "limit", "buy", 0.001, LOW, same)
        await client.cancel_order(None, SYMBOL, same)
        await client.create_order(SYMBOL, "market", "sell", 0.001, None, same)
        await client.create_order(SYMBOL, "market", "sell", 0.001, None, same)
        await client.create_order(SYMBOL, "limit", "buy", 0.001, LOW)
        return raised.type, await client.fetch_closed_orders(SYMBOL, params=same)

    error, closed = traded(practice, twice, key)
    assert error is ccxt.ExchangeError
    assert sorted(order["status"] for order in closed) == ["canceled", "closed", "closed"]


@pytest.mark.parametrize("name", ["mine-1", str(uuid4()), uuid4().hex])
def test_an_order_is_found_by_its_client_order_id_in_the_lists_only(
    practice: Practice, key: str, name: str
) -> None:
    named = {"clientOrderId": name}

    async def look(client: Any) -> Any:
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.001, LOW, named)
        await client.create_order(SYMBOL, "limit", "buy", 0.002, LOW)
        opened = await client.fetch_open_orders(SYMBOL, params=named)
        with pytest.raises(ccxt.ExchangeError):  # ccxt sends it as a userref
            await client.fetch_order(placed["id"], SYMBOL, named)
        await client.cancel_order(placed["id"], SYMBOL)
        return placed, opened, await client.fetch_closed_orders(SYMBOL, params=named)

    placed, opened, closed = traded(practice, look, key)
    assert [order["id"] for order in opened + closed] == [placed["id"]] * 2
    assert opened[0]["clientOrderId"] == name


def test_orders_and_trades_can_be_narrowed_down_and_come_page_by_page(
    practice: Practice, key: str
) -> None:
    async def place(client: Any) -> Any:
        for _ in range(52):
            await client.create_order(SYMBOL, "market", "sell", 0.001)
        await client.create_order("ETH/USD", "limit", "buy", 0.01, 1000)
        await client.create_order(SYMBOL, "limit", "buy", 0.01, LOW)
        newest = await client.fetch_closed_orders(SYMBOL)
        trades = await client.fetch_my_trades(SYMBOL)
        since = trades[-1]["timestamp"] + 1000
        return (
            newest,
            await client.fetch_closed_orders(SYMBOL, params={"ofs": 50}),
            trades,
            await client.fetch_my_trades(SYMBOL, params={"ofs": 50}),
            await client.fetch_my_trades(SYMBOL, since),
            # Not `until`: ccxt sends it in milliseconds, which lies in the far future.
            await client.fetch_closed_orders(SYMBOL, params={"end": since // 1000 - 3600}),
            await client.fetch_open_orders(),
            await client.cancel_all_orders(),
            await client.fetch_open_orders(),
        )

    newest, older, trades, older_trades, late, early, opened, _, none = traded(practice, place, key)
    assert [len(newest), len(older), len(trades), len(older_trades)] == [50, 2, 50, 2]
    assert max(one["timestamp"] for one in older) <= min(one["timestamp"] for one in newest)
    assert {one["order"] for one in older_trades} == {one["id"] for one in older}
    assert late == early == none == []
    assert {one["symbol"] for one in opened} == {SYMBOL, "ETH/USD"}


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("market", "buy", 100), ccxt.InsufficientFunds, "Insufficient funds"),
        (("market", "sell", 5), ccxt.InsufficientFunds, "Insufficient funds"),
        (("limit", "buy", 49.99, LOW), ccxt.InsufficientFunds, "Insufficient funds"),
        (("limit", "buy", 0.00001, LOW), ccxt.ExchangeError, "Cost minimum not met"),
        (("limit", "buy", 10_000_000, LOW), ccxt.InvalidOrder, "arguments:volume"),
        (("limit", "buy", 0.01, LOW, {"timeInForce": "FOK"}), ccxt.ExchangeError, "timeinforce"),
        (("limit", "buy", 0.01, LOW, {"timeInForce": "PO"}), ccxt.ExchangeError, "timeinforce"),
        (("limit", "buy", 0.01, LOW, {"stopLossPrice": 1}), ccxt.ExchangeError, "price2"),
        (("limit", "buy", 0.01, LOW, {"clientOrderId": "x" * 19}), ccxt.ExchangeError, "cl_ord_id"),
        (("limit", "buy", 0.01, LOW, {"clientOrderId": "é"}), ccxt.ExchangeError, "cl_ord_id"),
        (("limit", "buy", 0.01, LOW, {"userref": 5}), ccxt.ExchangeError, "userref"),
    ],
)
def test_an_order_that_kraken_would_refuse_is_refused_in_the_same_way(
    practice: Practice, key: str, arguments: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=text) as raised:
        traded(practice, lambda client: client.create_order(SYMBOL, *arguments), key)
    assert raised.type is error


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"pair": "NOPE"}, ccxt.ExchangeError, "EQuery:Unknown asset pair"),
        ({"type": "hold"}, ccxt.ExchangeError, "arguments:type"),
        ({"volume": "0.000001"}, ccxt.InvalidOrder, "EOrder:Order minimum not met"),
        ({"volume": "0.010001"}, ccxt.InvalidOrder, "arguments:volume"),
        ({"volume": "-1"}, ccxt.InvalidOrder, "arguments:volume"),
        ({"price": ""}, ccxt.InvalidOrder, "arguments:price"),
        ({"price": "20000.001"}, ccxt.ExchangeError, "EOrder:Tick size check failed"),
        ({"oflags": "fcib,fciq"}, ccxt.ExchangeError, "arguments:oflags"),
        ({"oflags": "viqc"}, ccxt.InvalidOrder, "arguments:viqc"),
        ({"oflags": "post", "timeinforce": "IOC"}, ccxt.ExchangeError, "arguments:oflags"),
        ({"leverage": "5"}, ccxt.ExchangeError, "arguments:leverage"),
        ({"deadline": "soon"}, ccxt.ExchangeError, "arguments:deadline"),
    ],
)
def test_parameters_that_ccxt_would_not_send_are_refused_too(
    practice: Practice, changed: dict[str, str], error: type[Exception], text: str
) -> None:
    right = {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "0.01",
        "price": "20000",
    }
    with pytest.raises(ccxt.BaseError, match=text) as raised:
        traded(practice, lambda client: client.private_post_addorder({**right, **changed}))
    assert raised.type is error


def test_an_order_that_is_only_validated_is_not_placed(practice: Practice, key: str) -> None:
    async def check(client: Any) -> Any:
        order = await client.create_order(SYMBOL, "limit", "buy", 0.01, LOW, {"validate": True})
        return order, await client.fetch_open_orders(SYMBOL)

    order, opened = traded(practice, check, key)
    assert (order["id"], order["amount"], opened) == (None, 0.01, [])


def deadline(moment_ms: int) -> dict[str, str]:
    return {"deadline": datetime.fromtimestamp(moment_ms / 1000, tz=UTC).isoformat()}


def test_an_order_that_comes_after_its_deadline_is_refused(practice: Practice, key: str) -> None:
    async def place(client: Any) -> Any:
        now_ms = client.milliseconds()
        wanted = (SYMBOL, "limit", "buy", 0.01, LOW)
        with pytest.raises(ccxt.ExchangeError, match="EService:Deadline elapsed"):
            await client.create_order(*wanted, deadline(now_ms - 1))
        with pytest.raises(ccxt.ExchangeError, match="arguments:deadline"):
            await client.create_order(*wanted, deadline(now_ms + 90_000))
        practice.suffer(kind="delay", delay_s=0.3, exchange="kraken", endpoint="place_order")
        with pytest.raises(ccxt.ExchangeError, match="EService:Deadline elapsed"):
            await client.create_order(*wanted, deadline(client.milliseconds() + 200))
        none = await client.fetch_open_orders(SYMBOL)
        await client.create_order(*wanted, deadline(now_ms + 30_000))
        return none, await client.fetch_open_orders(SYMBOL)

    none, placed = traded(practice, place, key)
    assert (len(none), len(placed)) == (0, 1)


def test_on_a_fast_market_a_deadline_by_an_honest_client_s_clock_has_not_passed(
    started: Callable[..., Practice],
) -> None:
    practice = started("--speed", "7200", "--balance", "USD=10000")

    async def place(client: Any) -> Any:
        wanted = deadline(practice.now_ms() + 10_000)
        return await client.create_order(SYMBOL, "limit", "buy", 0.01, LOW, wanted)

    assert traded(practice, place)["id"]


def test_on_a_fast_market_a_deadline_may_be_a_minute_of_whoever_waits_ahead(
    started: Callable[..., Practice],
) -> None:
    practice = started("--speed", "7200", "--balance", "USD=10000")

    async def place(client: Any) -> Any:
        order = (SYMBOL, "limit", "buy", 0.01, LOW)
        with pytest.raises(ccxt.ExchangeError, match="arguments:deadline"):
            await client.create_order(*order, deadline(practice.now_ms() + 90_000 * 7200))
        return await client.create_order(*order, deadline(practice.now_ms() + 8_000 * 7200))

    assert traded(practice, place)["id"]


@pytest.mark.parametrize("unknown", ["nope", "OAAAAA-AAAAA-AAAAAB"])
def test_orders_that_nobody_placed_are_not_found(practice: Practice, unknown: str) -> None:
    with pytest.raises(ccxt.OrderNotFound):
        traded(practice, lambda client: client.fetch_order(unknown, SYMBOL))
    with pytest.raises(ccxt.OrderNotFound):
        traded(practice, lambda client: client.cancel_order(unknown, SYMBOL))
    with pytest.raises(ccxt.OrderNotFound):
        named = {"clientOrderId": "nobody"}
        traded(practice, lambda client: client.cancel_order(None, SYMBOL, named))


def test_an_order_is_nobody_else_s(practice: Practice, key: str) -> None:
    order = traded(
        practice, lambda client: client.create_order(SYMBOL, "limit", "buy", 0.01, LOW), key
    )
    with pytest.raises(ccxt.OrderNotFound):
        traded(practice, lambda client: client.cancel_order(order["id"], SYMBOL))


def test_the_accounts_of_a_key_are_apart_from_each_other(started: Callable[..., Practice]) -> None:
    practice = started("--balance", "BTC=2", "--balance", "USD=0")
    traded(practice, lambda client: client.create_order(SYMBOL, "market", "sell", 1))
    for exchange, left in (("binance", 2), ("coinbase", 2), ("kraken", 1)):
        balance = practice.traded(lambda client: client.fetch_balance(), exchange=exchange)
        assert balance["BTC"]["total"] == left


def test_nothing_is_created_or_destroyed_but_fees(practice: Practice, key: str) -> None:
    async def trade(client: Any) -> Any:
        ask = (await client.fetch_ticker(SYMBOL))["ask"]
        await client.create_order(SYMBOL, "market", "buy", 1.2345)
        await client.create_order(SYMBOL, "market", "sell", 2.1)
        await client.create_order(SYMBOL, "limit", "buy", 1.5, ask + 1)
        await client.create_order(SYMBOL, "limit", "sell", 0.2, ask * 2)
        return await client.fetch_balance(), await client.fetch_my_trades(SYMBOL)

    balance, trades = traded(practice, trade, key)
    base, quote = Decimal(2), Decimal(1_000_000)
    for fill in (one["info"] for one in trades):
        sign = 1 if fill["type"] == "buy" else -1
        base += sign * Decimal(fill["vol"])
        quote -= sign * Decimal(fill["cost"]) + Decimal(fill["fee"])
    held = balance["info"]["result"]
    assert (Decimal(held["XXBT"]["balance"]), Decimal(held["ZUSD"]["balance"])) == (base, quote)
