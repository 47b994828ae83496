"""The private part of Binance's spot API: the account's balances, orders and trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from practice.binance.tickets import read_ticket
from practice.binance.wire import BinanceError, listing_of, required, whole_number
from practice.desk import DuplicateClientId, InsufficientBalance, WouldTake
from practice.orders import ZERO, Status
from practice.private import signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from practice.binance.signing import BinanceGate
    from practice.desk import Desk
    from practice.orders import Fill, Order
    from practice.server import Routes
    from practice.venue import Listing, Venue

_DEFAULT_ROWS, _MOST_ROWS = 500, 1000
_REFUSALS = {
    InsufficientBalance: "Account has insufficient balance for requested action.",
    DuplicateClientId: "Duplicate order sent.",
    WouldTake: "Order would immediately match and take.",
}
_STATUS = {
    Status.OPEN: "NEW",
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELED",
    Status.EXPIRED: "EXPIRED",
}

Parameters = dict[str, str]
_Row = TypeVar("_Row", "Order", "Fill")


class BinanceAccount:
    """The endpoints that need a signature."""

    def __init__(
        self, venue: Venue, desk: Desk, gate: BinanceGate, now_ms: Callable[[], int]
    ) -> None:
        self._venue = venue
        self._listings = venue.by_id("")
        self._desk = desk
        self._gate = gate
        self._now_ms = now_ms

    def register(self, routes: Routes) -> None:
        """Adds the endpoints under their names."""
        for method, path, endpoint, answer in (
            ("GET", "account", "account", self.account),
            ("POST", "order", "place_order", self.place),
            ("POST", "order/test", "test_order", self.test),
            ("GET", "order", "order", self.order),
            ("DELETE", "order", "cancel_order", self.cancel),
            ("GET", "openOrders", "openOrders", self.open_orders),
            ("DELETE", "openOrders", "cancel_openOrders", self.cancel_all),
            ("GET", "allOrders", "allOrders", self.all_orders),
            ("GET", "myTrades", "myTrades", self.my_trades),
        ):
            handler = signed(self._gate, self._desk, self._now_ms, answer)
            routes.add(method, f"/api/v3/{path}", endpoint, handler)

    def account(self, account: str, _: Parameters, now_ms: int) -> dict[str, Any]:
        """All balances."""
        balances = self._desk.ledger.balances(account)
        rate = int(self._desk.fees.rate * 10_000)
        return {
            "makerCommission": rate,
            "takerCommission": rate,
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": False,
            "updateTime": now_ms,
            "accountType": "SPOT",
            "permissions": ["SPOT"],
            "balances": [
                {"asset": currency, "free": _text(free), "locked": _text(locked)}
                for currency in sorted({*self._venue.currencies(), *balances})
                for free, locked in [balances.get(currency, (ZERO, ZERO))]
            ],
        }

    def place(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """Takes an order, and tells what it traded at once."""
        ticket = read_ticket(parameters, self._listing(parameters), now_ms)
        try:
            order, fills = self._desk.place(account, ticket, now_ms)
        except tuple(_REFUSALS) as refusal:
            raise BinanceError(-2010, _REFUSALS[type(refusal)]) from None
        return {
            **_order_form(order),
            "transactTime": now_ms,
            "fills": [_fill_form(fill) for fill in fills],
        }

    def test(self, _: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """Checks an order and does nothing with it."""
        read_ticket(parameters, self._listing(parameters), now_ms)
        return {}

    def order(self, account: str, parameters: Parameters, _: int) -> dict[str, Any]:
        """One order, by its number or by the id that the client gave it."""
        found = self._find(account, parameters)
        if found is None:
            raise BinanceError(-2013, "Order does not exist.")
        return _order_form(found)

    def cancel(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """Cancels an open order."""
        found = self._find(account, parameters)
        if found is None or found.status is not Status.OPEN:
            raise BinanceError(-2011, "Unknown order sent.")
        return _canceled_form(self._desk.cancel(account, found.order_id, now_ms))

    def cancel_all(self, account: str, parameters: Parameters, now_ms: int) -> list[dict[str, Any]]:
        """Cancels all open orders in one market."""
        symbol = self._listing(parameters).market.symbol
        found = [one for one in self._open(account) if one.ticket.symbol == symbol]
        if not found:
            raise BinanceError(-2011, "Unknown order sent.")
        return [_canceled_form(self._desk.cancel(account, one.order_id, now_ms)) for one in found]

    def open_orders(self, account: str, parameters: Parameters, _: int) -> list[dict[str, Any]]:
        """The open orders in one market, or in all."""
        found = self._open(account)
        if "symbol" in parameters:
            symbol = self._listing(parameters).market.symbol
            found = [order for order in found if order.ticket.symbol == symbol]
        return [_order_form(order) for order in found]

    def all_orders(self, account: str, parameters: Parameters, _: int) -> list[dict[str, Any]]:
        """The orders in one market, whatever became of them, oldest first."""
        symbol = self._listing(parameters).market.symbol
        first = whole_number(parameters, "orderId", 0)
        found = [
            order
            for order in self._desk.ledger.orders_of(account, symbol)
            if order.order_id >= first and _in_time(order.created_ms, parameters)
        ]
        from_start = "orderId" in parameters or "startTime" in parameters
        return [_order_form(order) for order in _page(found, parameters, from_start=from_start)]

    def my_trades(self, account: str, parameters: Parameters, _: int) -> list[dict[str, Any]]:
        """The trades in one market, oldest first."""
        symbol = self._listing(parameters).market.symbol
        first = whole_number(parameters, "fromId", 0)
        order_id = whole_number(parameters, "orderId", 0)
        found = [
            fill
            for fill in self._desk.ledger.fills_of(account, symbol)
            if fill.fill_id >= first
            and order_id in {0, fill.order_id}
            and _in_time(fill.timestamp_ms, parameters)
        ]
        from_start = "fromId" in parameters or "startTime" in parameters
        return [_trade_form(fill) for fill in _page(found, parameters, from_start=from_start)]

    def _listing(self, parameters: Mapping[str, str]) -> Listing:
        return listing_of(self._listings, required(parameters, "symbol"))

    def _open(self, account: str) -> list[Order]:
        return [order for order in self._desk.ledger.open_orders() if order.account == account]

    def _find(self, account: str, parameters: Mapping[str, str]) -> Order | None:
        symbol = self._listing(parameters).market.symbol
        if "orderId" in parameters:
            order = self._desk.ledger.order(account, whole_number(parameters, "orderId", 0))
            found = [order] if order else []
        elif "origClientOrderId" in parameters:
            found = self._desk.ledger.orders_by_client_id(account, parameters["origClientOrderId"])
        else:
            raise BinanceError(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            )
        same = [order for order in found if order.ticket.symbol == symbol]
        return same[-1] if same else None


def _in_time(moment_ms: int, parameters: Mapping[str, str]) -> bool:
    end_ms = whole_number(parameters, "endTime", moment_ms)
    return whole_number(parameters, "startTime", 0) <= moment_ms <= end_ms


def _page(rows: list[_Row], parameters: Mapping[str, str], *, from_start: bool) -> list[_Row]:
    limit = min(whole_number(parameters, "limit", _DEFAULT_ROWS) or _DEFAULT_ROWS, _MOST_ROWS)
    return rows[:limit] if from_start else rows[-limit:]


def _order_form(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    partly = order.status is Status.OPEN and order.filled
    return {
        "symbol": ticket.symbol.replace("/", ""),
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": ticket.client_order_id,
        "price": _text(ticket.price),
        "origQty": _text(order.amount),
        "executedQty": _text(order.filled),
        "cummulativeQuoteQty": _text(order.cost),
        "origQuoteOrderQty": _text(ticket.cost),
        "status": "PARTIALLY_FILLED" if partly else _STATUS[order.status],
        "timeInForce": ticket.time_in_force.value,
        "type": ticket.kind.name,
        "side": ticket.side.name,
        "stopPrice": _text(ZERO),
        "icebergQty": _text(ZERO),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
        "selfTradePreventionMode": "NONE",
    }


def _canceled_form(order: Order) -> dict[str, Any]:
    """As Binance does, the cancellation itself gets a new client id."""
    return {
        **_order_form(order),
        "origClientOrderId": order.ticket.client_order_id,
        "clientOrderId": uuid4().hex[:22],
        "transactTime": order.updated_ms,
    }


def _fill_form(fill: Fill) -> dict[str, Any]:
    return {
        "price": _text(fill.price),
        "qty": _text(fill.amount),
        "commission": _text(fill.fee),
        "commissionAsset": fill.fee_currency,
        "tradeId": fill.fill_id,
    }


def _trade_form(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol.replace("/", ""),
        "id": fill.fill_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": _text(fill.price),
        "qty": _text(fill.amount),
        "quoteQty": _text(fill.cost),
        "commission": _text(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.timestamp_ms,
        "isBuyer": fill.side.name == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def _text(number: Decimal) -> str:
    return f"{number:.8f}"
