"""Orders of which the client cannot know what became of them, at each exchange, with each ccxt."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from tests.practice.dialects import BALANCE_PARAMS, DIALECTS, Dialect
from tests.practice.running import credentials_of

if TYPE_CHECKING:
    from tests.practice.running import Practice

EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.exchange)
FOREVER = {"count": None}
LOW = 20_000.0
# What each exchange says of a key that it does not know any more.
REVOKED: dict[str, dict[str, Any]] = {
    "binance": {
        "kind": "status",
        "status": 401,
        "body": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    },
    "coinbase": {"kind": "status", "status": 401, "body": "Unauthorized\n"},
    "kraken": {"kind": "body", "body": {"error": ["EAPI:Invalid key"]}},
}


@EACH
def test_an_order_whose_reply_is_lost_was_placed_all_the_same(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    practice.suffer(kind="lose_reply", exchange=dialect.exchange, endpoint="place_order")

    async def place(client: Any) -> Any:
        with pytest.raises(ccxt.NetworkError):
            await dialect.bought(client, 0.01, **dialect.named("ambiguous"))
        return await dialect.found(client, "ambiguous")

    (order,) = practice.traded(place, key, dialect.exchange)
    assert order["status"] == "closed"
    assert order["filled"] == pytest.approx(0.01, rel=0.003)


@EACH
def test_an_order_whose_connection_is_dropped_was_not_placed(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    practice.suffer(kind="drop", exchange=dialect.exchange, endpoint="place_order")

    async def place(client: Any) -> Any:
        with pytest.raises(ccxt.NetworkError):
            await dialect.bought(client, 0.01, **dialect.named("dropped"))
        return await dialect.found(client, "dropped"), await dialect.orders(client)

    assert practice.traded(place, key, dialect.exchange) == ([], [])


@EACH
def test_a_truncated_reply_hides_the_id_of_an_order_that_exists(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    practice.suffer(kind="truncate", exchange=dialect.exchange, endpoint="place_order")

    async def place(client: Any) -> Any:
        order = await dialect.limited(client, "buy", 0.01, LOW, **dialect.named("hidden"))
        return order, await client.fetch_open_orders(dialect.symbol)

    order, listed = practice.traded(place, key, dialect.exchange)
    assert order["id"] is None
    assert [one["clientOrderId"] for one in listed] == ["hidden"]


@EACH
@pytest.mark.parametrize("kind", ["lose_reply", "truncate"])
def test_the_synchronous_ccxt_loses_replies_in_the_same_way(
    practice: Practice, key: str, dialect: Dialect, kind: str
) -> None:
    client = practice.synchronous_client(dialect.exchange, **credentials_of(dialect.exchange, key))
    client.load_time_difference()
    practice.suffer(kind=kind, exchange=dialect.exchange, endpoint="place_order")
    order: dict[str, Any] = {"id": None}
    wanted = (dialect.symbol, "limit", "buy", 0.01, LOW, dialect.named("sync"))
    if kind == "truncate":
        order = client.create_order(*wanted)
    else:
        with pytest.raises(ccxt.NetworkError):
            client.create_order(*wanted)
    (listed,) = client.fetch_open_orders(dialect.symbol)
    assert (order["id"], listed["clientOrderId"]) == (None, "sync")
    client.cancel_order(listed["id"], dialect.symbol)
    balance = client.fetch_balance(BALANCE_PARAMS[dialect.exchange])
    assert balance[dialect.quote] == {"free": 1_000_000, "used": 0, "total": 1_000_000}


@EACH
def test_an_order_can_be_canceled_although_the_reply_is_lost(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    practice.suffer(kind="lose_reply", exchange=dialect.exchange, endpoint="cancel_order")

    async def cancel(client: Any) -> Any:
        await dialect.limited(client, "buy", 0.01, LOW, **dialect.named("canceled"))
        (order,) = await dialect.found(client, "canceled")
        # The reply is lost; or at binance, aiohttp sends its DELETE again, which then finds nothing.
        with suppress(ccxt.NetworkError, ccxt.OrderNotFound):
            await client.cancel_order(order["id"], dialect.symbol)
        return await client.fetch_order(order["id"], dialect.symbol)

    order = practice.traded(cancel, key, dialect.exchange)
    assert (order["status"], order["filled"]) == ("canceled", 0)


@EACH
def test_a_fault_can_single_out_the_orders_of_one_market(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    other = {"binance": "ETHUSDT", "coinbase": "ETH-USD", "kraken": "XETHZUSD"}[dialect.exchange]
    practice.suffer(kind="drop", endpoint="place_order", market=other, **FOREVER)

    async def place(client: Any) -> Any:
        with pytest.raises(ccxt.NetworkError):
            await client.create_order(f"ETH/{dialect.quote}", "limit", "buy", 0.1, 1000)
        return await dialect.limited(client, "buy", 0.01, LOW)

    assert practice.traded(place, key, dialect.exchange)["id"]


@EACH
def test_a_key_that_is_revoked_lets_nothing_in_until_it_is_valid_again(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    async def place(client: Any) -> Any:
        return await dialect.limited(client, "buy", 0.01, LOW)

    async def look(client: Any) -> Any:
        await client.load_markets()
        return await client.fetch_open_orders(dialect.symbol)

    practice.traded(place, key, dialect.exchange)
    practice.ask(f"keys/{key}", "DELETE")
    # Binance's words mean a ban to a client of ccxt that had been let in before.
    error = ccxt.DDoSProtection if dialect.exchange == "binance" else ccxt.AuthenticationError
    for question in (look, place):
        with pytest.raises(ccxt.BaseError) as raised:
            practice.traded(question, key, dialect.exchange)
        assert raised.type is error
    with pytest.raises(ccxt.AuthenticationError):
        practice.freshly_asked(dialect.exchange, look, **credentials_of(dialect.exchange, key))
    practice.ask(f"keys/{key}", "PUT")
    assert len(practice.traded(look, key, dialect.exchange)) == 1


@EACH
def test_a_revoked_key_can_be_told_of_by_a_fault(
    practice: Practice, key: str, dialect: Dialect
) -> None:
    practice.suffer(exchange=dialect.exchange, endpoint="account", **REVOKED[dialect.exchange])

    async def look(client: Any) -> Any:
        await client.load_markets()
        return await dialect.balance(client)

    with pytest.raises(ccxt.AuthenticationError):
        practice.freshly_asked(dialect.exchange, look, **credentials_of(dialect.exchange, key))


def test_only_a_key_that_exists_can_be_revoked(practice: Practice) -> None:
    with pytest.raises(OSError, match="400"):
        practice.ask("keys/stranger", "DELETE")
