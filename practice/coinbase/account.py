"""The private part of Coinbase's Advanced Trade API: balances, orders and trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from practice.coinbase.forms import (
    account_form,
    fill_form,
    order_form,
    placed_form,
    product_of,
    wallet_form,
)
from practice.coinbase.tickets import read_ticket
from practice.coinbase.wire import (
    BROKERAGE,
    CoinbaseError,
    OrderRefused,
    Parameters,
    moment,
    whole_number,
    words,
)
from practice.desk import InsufficientBalance, UnknownOrder, WouldTake
from practice.ids import number_of_uuid
from practice.orders import ZERO
from practice.private import signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from practice.coinbase.signing import CoinbaseGate
    from practice.desk import Desk
    from practice.orders import Order
    from practice.server import Routes
    from practice.venue import Listing, Venue

_DEFAULT_ROWS, _MOST_ROWS = 100, 1000
_Row = TypeVar("_Row")


class CoinbaseAccount:
    """The endpoints that need a signature."""

    def __init__(
        self, venue: Venue, desk: Desk, gate: CoinbaseGate, now_ms: Callable[[], int]
    ) -> None:
        self._venue = venue
        self._listings = venue.by_id("-")
        self._desk = desk
        self._gate = gate
        self._now_ms = now_ms

    def register(self, routes: Routes) -> None:
        """Adds the endpoints under their names."""
        orders = f"{BROKERAGE}/orders"
        for method, path, endpoint, answer in (
            ("GET", "/v2/accounts", "account", self.wallets),
            ("GET", f"{BROKERAGE}/accounts", "account", self.accounts),
            ("GET", f"{BROKERAGE}/transaction_summary", "fees", self.fees),
            ("POST", orders, "place_order", self.place),
            ("POST", f"{orders}/batch_cancel", "cancel_order", self.cancel),
            ("GET", f"{orders}/historical/batch", "allOrders", self.all_orders),
            ("GET", f"{orders}/historical/fills", "myTrades", self.my_trades),
            ("GET", f"{orders}/historical/{{order_id}}", "order", self.order),
        ):
            handler = signed(self._gate, self._desk, self._now_ms, answer)
            routes.add(method, path, endpoint, handler)

    def accounts(self, account: str, _: Parameters, __: int) -> dict[str, Any]:
        """All balances, on one page."""
        found = [account_form(account, *balance) for balance in self._balances(account)]
        return {"accounts": found, "has_next": False, "cursor": "", "size": len(found)}

    def wallets(self, account: str, _: Parameters, __: int) -> dict[str, Any]:
        """All balances as the older API tells them."""
        found = [wallet_form(account, *balance) for balance in self._balances(account)]
        return {"pagination": {"next_uri": None}, "data": found}

    def fees(self, _: str, __: Parameters, ___: int) -> dict[str, Any]:
        """The fee rates, which a client that has keys asks for together with the markets."""
        rate = f"{self._desk.fees.rate:f}"
        tier = {"pricing_tier": "Practice", "taker_fee_rate": rate, "maker_fee_rate": rate}
        return {"total_volume": 0, "total_fees": 0, "fee_tier": tier}

    def place(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """Takes an order; for a client order id that was used before, tells of that order again."""
        ticket = read_ticket(parameters, self._listing(parameters), now_ms)
        if same := self._desk.ledger.orders_by_client_id(account, ticket.client_order_id):
            return placed_form(same[0])
        try:
            order, _ = self._desk.place(account, ticket, now_ms)
        except InsufficientBalance:
            raise OrderRefused(
                "INSUFFICIENT_FUND", "Insufficient balance in source account"
            ) from None
        except WouldTake:
            raise OrderRefused("INVALID_LIMIT_PRICE_POST_ONLY") from None
        return placed_form(order)

    def cancel(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """Cancels open orders, and tells of each whether it could."""
        wanted = parameters.get("order_ids")
        if not isinstance(wanted, list):
            raise CoinbaseError("INVALID_ARGUMENT", "order_ids: expected a list")
        return {"results": [self._canceled(account, str(one), now_ms) for one in wanted]}

    def order(self, account: str, parameters: Parameters, _: int) -> dict[str, Any]:
        """One order, by its own id only."""
        number = number_of_uuid("order", parameters["order_id"])
        found = self._desk.ledger.order(account, number or 0)
        if found is None:
            raise CoinbaseError("NOT_FOUND", "order with this orderID was not found", status=404)
        return {"order": self._form(found)}

    def all_orders(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """The orders that the parameters narrow down, newest first, page by page."""
        products = words(parameters, "product_id", "product_ids")
        statuses = words(parameters, "order_status")
        first_ms = moment(parameters, "start_date", 0)
        last_ms = moment(parameters, "end_date", now_ms)
        found = [
            order
            for order in self._desk.ledger.orders_of(account)
            if (not products or product_of(order.ticket.symbol) in products)
            and first_ms <= order.created_ms <= last_ms
        ]
        forms = [self._form(order) for order in found]
        if statuses:
            forms = [form for form in forms if form["status"] in statuses]
        rows, cursor = _page(forms, parameters)
        return {"orders": rows, "sequence": "0", "has_next": bool(cursor), "cursor": cursor}

    def my_trades(self, account: str, parameters: Parameters, now_ms: int) -> dict[str, Any]:
        """The trades that the parameters narrow down, newest first, page by page."""
        products = words(parameters, "product_id", "product_ids")
        numbers = {
            number_of_uuid("order", word) for word in words(parameters, "order_id", "order_ids")
        }
        first_ms = moment(parameters, "start_sequence_timestamp", 0)
        last_ms = moment(parameters, "end_sequence_timestamp", now_ms)
        found = [
            fill
            for fill in self._desk.ledger.fills_of(account)
            if (not products or product_of(fill.symbol) in products)
            and (not numbers or fill.order_id in numbers)
            and first_ms <= fill.timestamp_ms <= last_ms
        ]
        rows, cursor = _page(found, parameters)
        for_cost = {
            order.order_id for order in self._desk.ledger.orders_of(account) if order.ticket.cost
        }
        forms = [fill_form(fill, in_quote=fill.order_id in for_cost) for fill in rows]
        return {"fills": forms, "cursor": cursor}

    def _listing(self, parameters: Parameters) -> Listing:
        name = str(parameters.get("product_id"))
        if name not in self._listings:
            raise OrderRefused("INVALID_PRODUCT_ID")
        return self._listings[name]

    def _balances(self, account: str) -> list[tuple[str, Decimal, Decimal]]:
        balances = self._desk.ledger.balances(account)
        return [
            (currency, *balances.get(currency, (ZERO, ZERO)))
            for currency in sorted({*self._venue.currencies(), *balances})
        ]

    def _canceled(self, account: str, order_id: str, now_ms: int) -> dict[str, Any]:
        failure = "UNKNOWN_CANCEL_FAILURE_REASON"  # so it says of a success
        try:
            self._desk.cancel(account, number_of_uuid("order", order_id) or 0, now_ms)
        except UnknownOrder:
            failure = "UNKNOWN_CANCEL_ORDER"
        return {
            "success": failure != "UNKNOWN_CANCEL_ORDER",
            "failure_reason": failure,
            "order_id": order_id,
        }

    def _form(self, order: Order) -> dict[str, Any]:
        return order_form(order, len(self._desk.ledger.fills_of_order(order.order_id)))


def _page(rows: list[_Row], parameters: Parameters) -> tuple[list[_Row], str]:
    """The newest of those rows, newest first, and where the next page begins: nowhere, if empty."""
    limit = min(whole_number(parameters, "limit", _DEFAULT_ROWS) or _DEFAULT_ROWS, _MOST_ROWS)
    offset = whole_number(parameters, "cursor", 0)
    end = offset + limit
    return rows[::-1][offset:end], str(end) if end < len(rows) else ""
