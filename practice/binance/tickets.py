"""How an order arrives at Binance: its parameters read, and held against the market's filters."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from practice.binance.wire import BinanceError, decimal_number, required
from practice.markets import MOST_AMOUNT
from practice.orders import Kind, Side, Ticket, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from practice.venue import Listing

_Word = TypeVar("_Word", bound=StrEnum)

_CLIENT_ID = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"


def read_ticket(parameters: Mapping[str, str], listing: Listing, now_ms: int) -> Ticket:
    """The order that those parameters ask for.

    Raises:
        BinanceError: a parameter is missing or wrong, or a filter of the market refuses it.
    """
    ticket = Ticket(
        symbol=listing.market.symbol,
        client_order_id=parameters.get("newClientOrderId") or uuid4().hex[:22],
        side=_member(Side, parameters, "side", -1117, "Invalid side."),
        kind=_member(Kind, parameters, "type", -1116, "Invalid orderType."),
    )
    if not re.fullmatch(_CLIENT_ID, ticket.client_order_id):
        raise BinanceError(
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; "
            f"legal range is '{_CLIENT_ID}'.",
        )
    if ticket.kind is Kind.MARKET:
        ticket = _market_order(ticket, parameters)
    else:
        ticket = _limit_order(ticket, parameters)
        if not ticket.price or ticket.price % listing.market.tick:
            raise BinanceError(-1013, "Filter failure: PRICE_FILTER")
    _check_size(ticket, listing, now_ms)
    return ticket


def _market_order(ticket: Ticket, parameters: Mapping[str, str]) -> Ticket:
    if ("quantity" in parameters) == ("quoteOrderQty" in parameters):
        raise BinanceError(
            -1102, "Exactly one of 'quantity' and 'quoteOrderQty' must be sent for a market order."
        )
    return replace(
        ticket,
        amount=decimal_number(parameters, "quantity"),
        cost=decimal_number(parameters, "quoteOrderQty"),
    )


def _limit_order(ticket: Ticket, parameters: Mapping[str, str]) -> Ticket:
    required(parameters, "quantity")
    required(parameters, "price")
    rests = TimeInForce.REST
    if ticket.kind is Kind.LIMIT:
        try:
            rests = TimeInForce(required(parameters, "timeInForce"))
        except ValueError:
            raise BinanceError(-1115, "Invalid timeInForce.") from None
    return replace(
        ticket,
        amount=decimal_number(parameters, "quantity"),
        price=decimal_number(parameters, "price"),
        time_in_force=rests,
    )


def _check_size(ticket: Ticket, listing: Listing, now_ms: int) -> None:
    market = listing.market
    if not ticket.cost and (
        not market.step <= ticket.amount <= MOST_AMOUNT or ticket.amount % market.step
    ):
        raise BinanceError(-1013, "Filter failure: LOT_SIZE")
    if ticket.worth(listing.last_price(now_ms)) < market.min_cost:
        raise BinanceError(-1013, "Filter failure: NOTIONAL")


def _member(
    words: type[_Word], parameters: Mapping[str, str], name: str, code: int, message: str
) -> _Word:
    try:
        return words(required(parameters, name).lower())
    except ValueError:
        raise BinanceError(code, message) from None
