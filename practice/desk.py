"""The trading desk of one practice exchange: takes orders, matches them, keeps the ledger.

Resting orders are settled when somebody next asks for anything: the price path since then tells
when each of them filled, so no clock has to tick for it, nor need the exchange have been running.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from practice import book
from practice.fees import fee_currency
from practice.orders import (
    Change,
    Fill,
    Kind,
    Order,
    Side,
    Status,
    Ticket,
    TimeInForce,
    changes_of_fill,
    covers,
)
from practice.path import first_crossing
from practice.venue import half_spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from practice.fees import Fees
    from practice.ledger import Ledger
    from practice.noise import Flags, Integers
    from practice.venue import Listing, Venue


class Refused(Exception):
    """The desk does not take an order; the types below say why."""


class InsufficientBalance(Refused):
    """The account does not have what the order would spend."""


class DuplicateClientId(Refused):
    """Another open order carries the same client order id."""


class WouldTake(Refused):
    """An order that must not trade at once would."""


class UnknownOrder(Refused):
    """There is no such order, or it is not open any more."""


class Desk:
    """Where the accounts of one exchange trade."""

    def __init__(self, venue: Venue, ledger: Ledger, fees: Fees) -> None:
        self._venue = venue
        self.fees = fees
        self._unreached_until_ms: dict[int, int] = {}
        self.ledger = ledger

    def require_markets_of_open_orders(self) -> None:
        """Checks that every order which rests in the ledger can still be settled.

        Raises:
            ConfigurationError: a market is not listed any more, for its file was not given again.
        """
        for order in self.ledger.open_orders():
            if order.ticket.symbol not in self._venue.listings:
                raise ConfigurationError(
                    f"--data: expected a file for {order.ticket.symbol}, in which an order of the "
                    f"kept state is open, found none"
                )

    def place(self, account: str, ticket: Ticket, now_ms: int) -> tuple[Order, list[Fill]]:
        """Takes an order and trades what it can at once; the rest lies in the book or expires.

        Returns:
            The order as it stands now, and what it has traded.

        Raises:
            Refused: nothing has happened.
        """
        self.settle(now_ms)
        with self.ledger.transaction():
            self._refuse_duplicate(account, ticket)
            taken = self._taken(ticket, now_ms)
            fee_in = ticket.fee_in or self.fees.taken_in
            order = Order(
                order_id=0,
                account=account,
                ticket=ticket,
                amount=ticket.amount or book.total(taken),
                status=Status.OPEN,
                created_ms=now_ms,
                updated_ms=now_ms,
                fee_rate=self.fees.rate,
                fee_currency=fee_currency(ticket.symbol, fee_in, buys=ticket.side is Side.BUY),
            )
            order = self.ledger.add_order(order)
            fills = [_fill(order, level, now_ms, is_maker=False) for level in taken]
            return self._traded_at_once(order, fills)

    def cancel(self, account: str, order_id: int, now_ms: int) -> Order:
        """Takes an open order out of the book and releases what was locked for it.

        Raises:
            UnknownOrder: it is not open.
        """
        self.settle(now_ms)
        with self.ledger.transaction():
            order = self.ledger.order(account, order_id)
            if order is None or order.status is not Status.OPEN:
                raise UnknownOrder
            self.ledger.apply(account, [order.lock.undone()])
            canceled = replace(order, status=Status.CANCELED, updated_ms=now_ms)
            self.ledger.update_order(canceled)
            return canceled

    def settle(self, now_ms: int) -> None:
        """Fills the resting orders whose price was reached until now."""
        orders = self.ledger.open_orders()
        for order in orders:
            if fills := list(self._reached(order, now_ms)):
                with self.ledger.transaction():
                    self._traded_later(order, fills)
        self._unreached_until_ms = {order.order_id: now_ms for order in orders}

    def _reached(self, order: Order, now_ms: int) -> Iterator[Fill]:
        """The fills of a resting order: each as large as the book is deep, one refill apart."""
        listing = self._venue.listings[order.ticket.symbol]
        rested_ms = order.updated_ms + (book.REFILL_MS if order.filled else 0)
        since_ms = max(rested_ms, self._unreached_until_ms.get(order.order_id, rested_ms))
        crosses = _crossing(order.ticket, listing)
        remaining = order.remaining
        while remaining:
            moment_ms = first_crossing(listing.path, since_ms, now_ms, crosses)
            if moment_ms is None:
                return
            part = book.Level(order.ticket.price, min(remaining, listing.market.depth))
            yield _fill(order, part, moment_ms, is_maker=True)
            remaining -= part.amount
            since_ms = moment_ms + book.REFILL_MS

    def _traded_at_once(self, order: Order, fills: list[Fill]) -> tuple[Order, list[Fill]]:
        """Keeps a new order's fills and what it locks or gives up; needs the money for both."""
        changes = [change for fill in fills for change in changes_of_fill(fill)]
        for fill in fills:
            order = order.after(fill)
        if order.status is Status.OPEN and _rests(order.ticket):
            changes.append(order.lock)
        elif order.status is Status.OPEN:
            order = replace(order, status=Status.EXPIRED)
        if not covers(self.ledger.free(order.account), changes):
            raise InsufficientBalance
        return order, self._keep(order, fills, changes)

    def _traded_later(self, order: Order, fills: list[Fill]) -> None:
        changes = [order.lock.undone()]
        for fill in fills:
            changes += changes_of_fill(fill)
            order = order.after(fill)
        self._keep(order, fills, [*changes, order.lock])

    def _keep(self, order: Order, fills: list[Fill], changes: list[Change]) -> list[Fill]:
        self.ledger.update_order(order)
        self.ledger.apply(order.account, changes)
        return [self.ledger.add_fill(fill) for fill in fills]

    def _taken(self, ticket: Ticket, now_ms: int) -> list[book.Level]:
        """What an order takes out of the book as it is displayed now."""
        listing = self._venue.listings[ticket.symbol]
        offers = _offers(listing, ticket.side, now_ms)
        if ticket.cost:
            cost = ticket.cost / (1 + self.fees.rate) if self.fees.inside_cost else ticket.cost
            return book.taken_cost(offers, cost, listing.market.step)
        if ticket.kind is Kind.MARKET:
            return book.taken_amount(offers, ticket.amount)
        taken = book.taken_amount(book.within(offers, ticket.side, ticket.price), ticket.amount)
        if taken and ticket.kind is Kind.LIMIT_MAKER:
            raise WouldTake
        if ticket.time_in_force is TimeInForce.ALL_OR_NOTHING and book.total(taken) < ticket.amount:
            return []
        return taken

    def _refuse_duplicate(self, account: str, ticket: Ticket) -> None:
        if not ticket.client_order_id:
            return
        same = self.ledger.orders_by_client_id(account, ticket.client_order_id)
        if any(order.status is Status.OPEN for order in same):
            raise DuplicateClientId


def _fill(order: Order, part: book.Level, moment_ms: int, *, is_maker: bool) -> Fill:
    return Fill(
        order_id=order.order_id,
        account=order.account,
        symbol=order.ticket.symbol,
        side=order.ticket.side,
        price=part.price,
        amount=part.amount,
        fee=order.fee_for(part.price, part.amount),
        fee_currency=order.fee_currency,
        is_maker=is_maker,
        timestamp_ms=moment_ms,
    )


def _rests(ticket: Ticket) -> bool:
    return ticket.kind is not Kind.MARKET and ticket.time_in_force is TimeInForce.REST


def _offers(listing: Listing, side: Side, now_ms: int) -> list[book.Level]:
    ticker = listing.ticker(now_ms)
    best = ticker.ask if side is Side.BUY else ticker.bid
    gap = max(1, ticker.last // book.LEVEL_GAP)
    return book.levels(
        listing.price(best), side, gap=listing.price(gap), depth=listing.market.depth
    )


def _crossing(ticket: Ticket, listing: Listing) -> Callable[[Integers], Flags]:
    """Whether, at each last price, the other side of the book has come to the order's limit."""
    limit = int(ticket.price.scaleb(listing.path.price_decimals))
    if ticket.side is Side.BUY:
        return lambda prices: prices + half_spread(prices) <= limit
    return lambda prices: prices - half_spread(prices) >= limit
