"""Each exchange's own ways with orders, behind one face: how to place one, find it again, and read its trades."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from common.exchange import errors
from trader.brokers.live.answers import EARLIER_MS
from trader.brokers.live.errors import UnclearError
from trader.core.order import OrderType, Side

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from trader.core.order import Order

Raw = dict[str, Any]  # an order or a trade, in ccxt's form
_MOST_ORDERS = 250  # on a page
_MOST_PAGES = 200


class Ways:
    """What most exchanges have in common. The client is ccxt's asynchronous one."""

    balance_parameters: Mapping[str, Any] = {}
    looks_at_time = True  # refuses what was signed by a clock that is off
    turn_within_ms = 5000.0  # no call waits longer for ccxt's rate limit
    look_every_s = 1.0  # at an order that rests
    signs: tuple[str, tuple[str, ...], str] = (
        "account",
        ("private",),
        "GET",
    )  # a call that needs a signature, in ccxt's words
    gone_after_s = 12.0  # what has not arrived by then is refused, should it still come

    def to_place(self, order: Order, expires_at: int) -> dict[str, Any]:
        """The parameters that go with an order, its own id among them.

        `expires_at` is when it is to be refused if it has not arrived, by the exchange's clock.
        """
        raise NotImplementedError

    async def find(self, client: Any, order: Order) -> Raw | None:
        """The order by its own id; None if the exchange has none."""
        raise NotImplementedError

    async def lost(self, client: Any, order: Order, since: int) -> Raw | None:
        """The order, for books that have never sent it: at least one that was placed after `since` and has ended.

        None where the exchange itself takes no second order with the same id.
        """
        raise NotImplementedError

    async def trades(self, client: Any, order: Order, found: Raw) -> list[Raw]:
        """All trades of an order that the exchange told of as `found`, in any order."""
        raise NotImplementedError


class Binance(Ways):
    """Orders are looked up by their own id, also after they have ended."""

    def to_place(self, order: Order, expires_at: int) -> dict[str, Any]:  # noqa: D102
        del expires_at  # its own recvWindow, of 5 s by default, refuses what arrives late
        return {"newClientOrderId": order.client_order_id, "recvWindow": 5000}

    async def find(self, client: Any, order: Order) -> Raw | None:  # noqa: D102
        asked = {"origClientOrderId": order.client_order_id}
        try:
            found: Raw = await client.fetch_order(None, order.symbol, asked)
        except errors.OrderNotFound:
            return None
        return found

    async def lost(self, client: Any, order: Order, since: int) -> Raw | None:  # noqa: D102
        del since  # it is found whenever it was placed
        return await self.find(client, order)

    async def trades(self, client: Any, order: Order, found: Raw) -> list[Raw]:  # noqa: D102
        asked = {"orderId": found["id"]}
        made: list[Raw] = await client.fetch_my_trades(order.symbol, None, 1000, asked)
        return made


class Coinbase(Ways):
    """No look-up by an order's own id; but a second order with the same id is the first one again.

    It has no window of its own: what a cloud key has signed is taken for 120 s. A market buy is asked for by what it may cost, with the fee inside: there is no other.
    """

    balance_parameters: Mapping[str, Any] = {"v3": True}  # the old API tells nothing of orders
    signs = ("brokerage/accounts", ("v3", "private"), "GET")
    gone_after_s = 125.0

    def to_place(self, order: Order, expires_at: int) -> dict[str, Any]:  # noqa: D102
        del expires_at
        parameters = {"client_order_id": order.client_order_id}
        if order.type is OrderType.MARKET and order.side is Side.BUY:
            parameters["cost"] = format(order.reserved, "f")
        return parameters

    async def find(self, client: Any, order: Order) -> Raw | None:  # noqa: D102
        since = order.decided_at - EARLIER_MS
        async for page in _pages(client.fetch_orders, order.symbol, since, {}):
            if found := _with_id(page, order):
                return found
        return None

    async def lost(self, client: Any, order: Order, since: int) -> Raw | None:  # noqa: D102
        return None

    async def trades(self, client: Any, order: Order, found: Raw) -> list[Raw]:  # noqa: D102
        asked = {"order_id": found["id"]}
        pages = _pages(client.fetch_my_trades, order.symbol, None, asked)
        return [made async for page in pages for made in page]


class Kraken(Ways):
    """An order's own id is `cl_ord_id`; it is looked up among the open ones, then among the ended ones.

    Its requests are numbered by the time; to shift the client's clock would let those numbers fall. Questions
    are counted, up to 15 at once and one more in 3 s, orders are not; the window leaves room for three traders
    with one key.
    """

    signs = ("BalanceEx", ("private",), "POST")
    looks_at_time = False
    turn_within_ms = 15_000.0
    look_every_s = 3.0

    def to_place(self, order: Order, expires_at: int) -> dict[str, Any]:  # noqa: D102
        deadline = datetime.fromtimestamp(expires_at / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "clientOrderId": order.client_order_id,
            "oflags": "fciq",  # the fee in quote currency
            "deadline": deadline.replace("+00:00", "Z"),
        }

    async def find(self, client: Any, order: Order) -> Raw | None:  # noqa: D102
        asked = {"clientOrderId": order.client_order_id}
        since = order.decided_at - EARLIER_MS
        found = _with_id(await client.fetch_open_orders(order.symbol, since, None, asked), order)
        return found or await self.lost(client, order, since)

    async def lost(self, client: Any, order: Order, since: int) -> Raw | None:  # noqa: D102
        asked = {"clientOrderId": order.client_order_id}
        return _with_id(await client.fetch_closed_orders(order.symbol, since, None, asked), order)

    async def trades(self, client: Any, order: Order, found: Raw) -> list[Raw]:  # noqa: D102
        ids = [trade["id"] for trade in found["trades"] or []]
        if not ids:
            return []
        made: list[Raw] = await client.fetch_order_trades(
            found["id"], order.symbol, None, None, {"trades": ids}
        )
        return made


WAYS: dict[str, Ways] = {"binance": Binance(), "coinbase": Coinbase(), "kraken": Kraken()}


async def _pages(
    ask: Callable[..., Awaitable[list[Raw]]],
    symbol: str,
    since: int | None,
    asked: dict[str, Any],
) -> AsyncIterator[list[Raw]]:
    """All pages of an answer of Coinbase's, the newest first; ccxt leaves the way to the next in a raw row."""
    cursor: str | None = ""
    for _ in range(_MOST_PAGES):
        page = await ask(
            symbol, since, _MOST_ORDERS, asked | ({"cursor": cursor} if cursor else {})
        )
        yield page
        cursor = next((one["info"]["cursor"] for one in page if one["info"].get("cursor")), None)
        if cursor is None:
            return
    raise UnclearError(f"expected at most {_MOST_PAGES} pages, found more")


def _with_id(found: list[Raw], order: Order) -> Raw | None:
    return next((one for one in found if one["clientOrderId"] == order.client_order_id), None)
