"""How an order arrives at Coinbase: its configuration read, and held against the product's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from practice.coinbase.wire import (
    CoinbaseError,
    OrderRefused,
    Parameters,
    decimal_number,
    text_of,
)
from practice.markets import MOST_AMOUNT
from practice.orders import Kind, Side, Ticket, TimeInForce

if TYPE_CHECKING:
    from practice.venue import Listing

_MARKET = "market_market_ioc"
_LIMITS = {
    "limit_limit_gtc": TimeInForce.REST,
    "sor_limit_ioc": TimeInForce.EXPIRE,
    "limit_limit_fok": TimeInForce.ALL_OR_NOTHING,
}
_LIMIT_NAMES = {time_in_force: name for name, time_in_force in _LIMITS.items()}
# What this exchange does not imitate must not be passed over either.
_UNKNOWN = ("attached_order_configuration", "leverage", "margin_type", "retail_portfolio_id")


def read_ticket(parameters: Parameters, listing: Listing, now_ms: int) -> Ticket:
    """The order that those parameters ask for.

    Raises:
        CoinbaseError: a parameter is missing or wrong.
        OrderRefused: the product does not trade such an order.
    """
    for name in _UNKNOWN:
        if parameters.get(name):
            raise CoinbaseError("INVALID_ARGUMENT", f"{name}: expected none")
    client_order_id = parameters.get("client_order_id")
    if not isinstance(client_order_id, str) or not client_order_id:
        raise CoinbaseError("INVALID_ARGUMENT", "client_order_id is required")
    try:
        side = Side(str(parameters.get("side")).lower())
    except ValueError:
        raise CoinbaseError("INVALID_ARGUMENT", "side: expected BUY or SELL") from None
    name, settings = _configuration(parameters)
    post_only = name == "limit_limit_gtc" and settings.get("post_only") is True
    ticket = Ticket(
        symbol=listing.market.symbol,
        client_order_id=client_order_id,
        side=side,
        kind=Kind.MARKET if name == _MARKET else Kind.LIMIT_MAKER if post_only else Kind.LIMIT,
        time_in_force=_LIMITS.get(name, TimeInForce.REST),
        price=decimal_number(settings, "limit_price"),
        amount=decimal_number(settings, "base_size"),
        cost=decimal_number(settings, "quote_size"),
    )
    _check(ticket, listing, now_ms)
    return ticket


def configuration_of(ticket: Ticket) -> dict[str, Any]:
    """The configuration that such an order was asked for with."""
    if ticket.cost:
        return {_MARKET: {"quote_size": text_of(ticket.cost)}}
    settings: dict[str, Any] = {"base_size": text_of(ticket.amount)}
    if ticket.kind is Kind.MARKET:
        return {_MARKET: settings}
    settings["limit_price"] = text_of(ticket.price)
    if ticket.time_in_force is TimeInForce.REST:
        settings["post_only"] = ticket.kind is Kind.LIMIT_MAKER
    return {_LIMIT_NAMES[ticket.time_in_force]: settings}


def _configuration(parameters: Parameters) -> tuple[str, dict[str, Any]]:
    found = parameters.get("order_configuration")
    if not isinstance(found, dict) or len(found) != 1:
        raise CoinbaseError("INVALID_ARGUMENT", "order_configuration: expected exactly one")
    ((name, settings),) = found.items()
    if name not in {_MARKET, *_LIMITS} or not isinstance(settings, dict):
        raise OrderRefused("UNSUPPORTED_ORDER_CONFIGURATION")
    sizes = {"base_size", "quote_size"} & settings.keys()
    if len(sizes) != 1 or (name != _MARKET and "quote_size" in sizes):
        raise OrderRefused("INVALID_ORDER_CONFIG")
    return name, settings


def _check(ticket: Ticket, listing: Listing, now_ms: int) -> None:
    market = listing.market
    if ticket.kind is not Kind.MARKET and (not ticket.price or ticket.price % market.tick):
        raise OrderRefused("INVALID_PRICE_PRECISION")
    if ticket.cost:
        if ticket.side is Side.SELL:
            raise OrderRefused("INVALID_ORDER_CONFIG")
        if ticket.cost % market.tick:
            raise OrderRefused("INVALID_QUOTE_SIZE_PRECISION")
    elif ticket.amount < market.step:
        raise OrderRefused("INVALID_BASE_SIZE_TOO_SMALL")
    elif ticket.amount > MOST_AMOUNT:
        raise OrderRefused("INVALID_BASE_SIZE_TOO_LARGE")
    elif ticket.amount % market.step:
        raise OrderRefused("INVALID_SIZE_PRECISION")
    if ticket.worth(listing.last_price(now_ms)) < market.min_cost:
        raise OrderRefused("INVALID_QUOTE_SIZE_TOO_SMALL")
