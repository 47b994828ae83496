"""The private part of Kraken's REST API: the account's balances, orders and trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from common.clock import wall_now
from practice.desk import DuplicateClientId, InsufficientBalance, UnknownOrder, WouldTake
from practice.ids import kraken_id_of, number_of_kraken_id
from practice.kraken.forms import description_of, order_form, trade_form
from practice.kraken.names import asset_names, pair_of
from practice.kraken.tickets import check_deadline, read_ticket
from practice.kraken.wire import (
    KrakenError,
    Parameters,
    decimal_number,
    is_true,
    result_form,
    text_of,
    whole_number,
)
from practice.orders import Status
from practice.private import signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.clock import MarketClock
    from practice.desk import Desk
    from practice.kraken.signing import KrakenGate
    from practice.orders import Fill, Order
    from practice.server import Routes
    from practice.venue import Venue

_PAGE = 50
_REFUSALS = {
    InsufficientBalance: "EOrder:Insufficient funds",
    DuplicateClientId: "EOrder:Duplicate cl_ord_id",
    WouldTake: "EOrder:Post only order",
}
_Row = TypeVar("_Row")


class KrakenAccount:
    """The endpoints that need a signature."""

    def __init__(self, venue: Venue, desk: Desk, gate: KrakenGate, clock: MarketClock) -> None:
        self._venue = venue
        self._listings = {
            name: listing
            for symbol, listing in venue.listings.items()
            for name in pair_of(symbol).names
        }
        self._desk = desk
        self._gate = gate
        self._clock = clock

    def register(self, routes: Routes) -> None:
        """Adds the endpoints under their names."""
        for path, endpoint, answer in (
            ("BalanceEx", "account", self.balances),
            ("AddOrder", "place_order", self.place),
            ("QueryOrders", "order", self.orders),
            ("CancelOrder", "cancel_order", self.cancel),
            ("OpenOrders", "openOrders", self.open_orders),
            ("CancelAll", "cancel_openOrders", self.cancel_all),
            ("ClosedOrders", "closedOrders", self.closed_orders),
            ("TradesHistory", "myTrades", self.my_trades),
            ("QueryTrades", "orderTrades", self.trades),
        ):
            handler = signed(self._gate, self._desk, self._clock.now, _resulting(answer))
            routes.add("POST", f"/0/private/{path}", endpoint, handler)

    def balances(self, account: str, _: Parameters, __: int) -> dict[str, Any]:
        """All balances, with what is held for open orders."""
        return {
            asset_names(currency)[0]: {
                "balance": text_of(free + locked),
                "hold_trade": text_of(locked),
            }
            for currency, (free, locked) in self._desk.ledger.balances(account).items()
        }

    def place(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """Takes an order. The reply says nothing of its status, nor of what it traded."""
        name = parameters.get("pair", "")
        if name not in self._listings:
            raise KrakenError("EQuery:Unknown asset pair")
        ticket = read_ticket(parameters, self._listings[name], now_ms)
        check_deadline(parameters, self._clock, wall_now())
        described = {"descr": {"order": description_of(ticket)}}
        if is_true(parameters, "validate"):
            return described
        try:
            order, _ = self._desk.place(account, ticket, now_ms)
        except tuple(_REFUSALS) as refusal:
            raise KrakenError(_REFUSALS[type(refusal)]) from None
        return {**described, "txid": [kraken_id_of("O", order.order_id)]}

    def orders(self, account: str, parameters: Parameters, _: int) -> dict[str, Any]:
        """Those of the orders with the ids in `txid` that exist."""
        numbers = _numbers("O", parameters)
        found = [self._desk.ledger.order(account, number) for number in numbers]
        return self._order_forms([one for one in found if one], parameters)

    def cancel(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """Cancels an open order, by Kraken's id or by the client's."""
        numbers = _numbers("O", parameters)
        if client_order_id := parameters.get("cl_ord_id"):
            same = self._desk.ledger.orders_by_client_id(account, client_order_id)
            numbers = [order.order_id for order in same if order.status is Status.OPEN]
        if not numbers:
            raise KrakenError("EOrder:Unknown order")
        try:
            self._desk.cancel(account, numbers[0], now_ms)
        except UnknownOrder:
            raise KrakenError("EOrder:Unknown order") from None
        return {"count": 1}

    def cancel_all(self, account: str, _: Parameters, now_ms: int) -> dict[str, Any]:
        """Cancels all open orders, in whichever pair."""
        found = self._open(account)
        for order in found:
            self._desk.cancel(account, order.order_id, now_ms)
        return {"count": len(found)}

    def open_orders(self, account: str, parameters: Parameters, _: int) -> dict[str, Any]:
        """The open orders, newest first."""
        found = [order for order in self._open(account) if _is_named(order, parameters)]
        return {"open": self._order_forms(found[::-1], parameters)}

    def closed_orders(self, account: str, parameters: Parameters, _: int) -> dict[str, Any]:
        """The orders that are open no more, the last one closed first, page by page."""
        found = [
            order
            for order in self._desk.ledger.orders_of(account)
            if order.status is not Status.OPEN
            and _is_named(order, parameters)
            and _in_time(order.updated_ms, parameters)
        ]
        found.sort(key=lambda order: order.updated_ms)
        rows = _page(found, parameters)
        return {"closed": self._order_forms(rows, parameters), "count": len(found)}

    def my_trades(self, account: str, parameters: Parameters, _: int) -> dict[str, Any]:
        """The trades in all pairs, newest first, page by page."""
        fills = self._desk.ledger.fills_of(account)
        found = [fill for fill in fills if _in_time(fill.timestamp_ms, parameters)]
        rows = _page(found, parameters)
        return {"trades": self._trade_forms(account, rows), "count": len(found)}

    def trades(self, account: str, parameters: Parameters, _: int) -> dict[str, Any]:
        """Those of the trades with the ids in `txid` that exist."""
        numbers = set(_numbers("T", parameters))
        fills = self._desk.ledger.fills_of(account)
        return self._trade_forms(account, [one for one in fills if one.fill_id in numbers])

    def _open(self, account: str) -> list[Order]:
        return [order for order in self._desk.ledger.open_orders() if order.account == account]

    def _order_forms(self, orders: list[Order], parameters: Parameters) -> dict[str, Any]:
        if "userref" in parameters:
            whole_number(parameters, "userref", 0)
            return {}  # no order here has one
        forms = {}
        for order in orders:
            market = self._venue.listings[order.ticket.symbol].market
            trades = self._desk.ledger.fills_of_order(order.order_id)
            told = trades if is_true(parameters, "trades") else None
            forms[kraken_id_of("O", order.order_id)] = order_form(order, market, told)
        return forms

    def _trade_forms(self, account: str, fills: list[Fill]) -> dict[str, Any]:
        orders = {order.order_id: order for order in self._desk.ledger.orders_of(account)}
        return {
            kraken_id_of("T", fill.fill_id): trade_form(fill, orders[fill.order_id])
            for fill in fills
        }


def _resulting(
    answer: Callable[[str, Parameters, int], dict[str, Any]],
) -> Callable[[str, Parameters, int], dict[str, Any]]:
    return lambda *request: result_form(answer(*request))


def _numbers(letter: str, parameters: Parameters) -> list[int]:
    """The numbers behind the ids in `txid`; what is no such id is the id of nothing."""
    found = [number_of_kraken_id(letter, one) for one in parameters.get("txid", "").split(",")]
    return [number for number in found if number is not None]


def _is_named(order: Order, parameters: Parameters) -> bool:
    wanted = parameters.get("cl_ord_id")
    return wanted in {None, order.ticket.client_order_id}


def _in_time(moment_ms: int, parameters: Parameters) -> bool:
    """Whether that was after `start` and not after `end`, both in seconds since 1970."""
    if moment_ms <= decimal_number(parameters, "start") * 1000:
        return False
    return "end" not in parameters or moment_ms <= decimal_number(parameters, "end") * 1000


def _page(rows: list[_Row], parameters: Parameters) -> list[_Row]:
    """The newest of those rows that the page has room for, newest first."""
    offset = max(whole_number(parameters, "ofs", 0), 0)
    return rows[::-1][offset : offset + _PAGE]
