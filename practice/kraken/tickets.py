"""How an order arrives at Kraken: its parameters read, and held against the pair's limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from practice.clock import shown_by_clients
from practice.fees import FeeIn
from practice.kraken.wire import KrakenError, Parameters, decimal_number
from practice.markets import MOST_AMOUNT
from practice.orders import ZERO, Kind, Side, Ticket, TimeInForce

if TYPE_CHECKING:
    from common.clock import MarketClock
    from practice.venue import Listing

_UUID = r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"
_CLIENT_ID = re.compile(rf"[ -~]{{1,18}}|{_UUID}")
_FLAGS = {"fcib", "fciq", "nompp", "post", "viqc"}
_FEES = {"fcib": FeeIn.BASE, "fciq": FeeIn.QUOTE}
_TIMES_IN_FORCE = {"GTC": TimeInForce.REST, "IOC": TimeInForce.EXPIRE}
# What this exchange does not imitate must not be passed over either.
_UNKNOWN = ("userref", "leverage", "price2", "displayvol", "starttm", "expiretm", "trigger")
_UNSET = {"", "0", "none"}
_MOST_DEADLINE_MS = 60_000


def read_ticket(parameters: Parameters, listing: Listing, now_ms: int) -> Ticket:
    """The order that those parameters ask for.

    Raises:
        KrakenError: a parameter is missing or wrong, or the pair does not trade such an order.
    """
    for name in parameters:
        if name.startswith("close[") or (name in _UNKNOWN and parameters[name] not in _UNSET):
            raise _bad(name)
    flags = {flag for flag in parameters.get("oflags", "").split(",") if flag}
    if flags - _FLAGS or {*_FEES} <= flags:
        raise _bad("oflags")
    client_order_id = parameters.get("cl_ord_id", "")
    if client_order_id and not _CLIENT_ID.fullmatch(client_order_id):
        raise _bad("cl_ord_id")
    kind, time_in_force = _terms(parameters, flags)
    volume = decimal_number(parameters, "volume")
    ticket = Ticket(
        symbol=listing.market.symbol,
        client_order_id=client_order_id,
        side=_side(parameters),
        kind=kind,
        time_in_force=time_in_force,
        price=ZERO if kind is Kind.MARKET else decimal_number(parameters, "price"),
        amount=ZERO if "viqc" in flags else volume,
        cost=volume if "viqc" in flags else ZERO,
        fee_in=next((fee_in for flag, fee_in in _FEES.items() if flag in flags), None),
    )
    _check(ticket, listing, now_ms)
    return ticket


def check_deadline(parameters: Parameters, clock: MarketClock, wall_ms: int) -> None:
    """Refuses an order that came too late for its sender.

    Raises:
        KrakenError: its `deadline` has passed, or is no time within the next minute.
    """
    if not (text := parameters.get("deadline")):
        return
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _bad("deadline") from None
    deadline_ms = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000
    earliest_ms, latest_ms = shown_by_clients(clock, wall_ms)
    most_ms = _MOST_DEADLINE_MS * max(1.0, clock.speed)  # on a fast market, of whoever waits
    if deadline_ms > latest_ms + most_ms:
        raise _bad("deadline")
    if deadline_ms < earliest_ms:
        raise KrakenError("EService:Deadline elapsed")


def _side(parameters: Parameters) -> Side:
    try:
        return Side(parameters.get("type", ""))
    except ValueError:
        raise _bad("type") from None


def _terms(parameters: Parameters, flags: set[str]) -> tuple[Kind, TimeInForce]:
    """What the order does when it arrives, and with what it leaves unfilled."""
    try:
        kind = {"market": Kind.MARKET, "limit": Kind.LIMIT}[parameters.get("ordertype", "")]
    except KeyError:
        raise _bad("ordertype") from None
    try:
        time_in_force = _TIMES_IN_FORCE[parameters.get("timeinforce", "GTC").upper()]
    except KeyError:
        raise _bad("timeinforce") from None
    if "post" in flags:
        if kind is Kind.MARKET or time_in_force is not TimeInForce.REST:
            raise _bad("oflags")
        kind = Kind.LIMIT_MAKER
    if "viqc" in flags and kind is not Kind.MARKET:
        raise _bad("viqc")
    return kind, time_in_force


def _check(ticket: Ticket, listing: Listing, now_ms: int) -> None:
    market = listing.market
    if ticket.kind is not Kind.MARKET and not ticket.price:
        raise _bad("price")
    if ticket.price % market.tick:
        raise KrakenError("EOrder:Tick size check failed")
    if not ticket.cost:
        if ticket.amount < market.step:
            raise KrakenError("EOrder:Order minimum not met")
        if ticket.amount % market.step or ticket.amount > MOST_AMOUNT:
            raise _bad("volume")
    if ticket.worth(listing.last_price(now_ms)) < market.min_cost:
        raise KrakenError("EOrder:Cost minimum not met")


def _bad(name: str) -> KrakenError:
    return KrakenError(f"EGeneral:Invalid arguments:{name}")
