"""Orders, their fills and what they do to an account: values and arithmetic, nothing stored here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from practice.fees import fee_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from practice.fees import FeeIn

ZERO = Decimal(0)


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"


class Kind(StrEnum):
    """What an order does when it arrives."""

    MARKET = "market"
    LIMIT = "limit"
    LIMIT_MAKER = "limit_maker"  # refused where it would trade at once


class TimeInForce(StrEnum):
    """What becomes of the part of a limit order that does not trade at once."""

    REST = "GTC"
    EXPIRE = "IOC"
    ALL_OR_NOTHING = "FOK"


class Status(StrEnum):
    """Where an order is in its life."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as it is asked for. Either `amount` (base) or, at the market, `cost` (quote) is set.

    The client order id may be empty, where the exchange does without.
    """

    symbol: str
    client_order_id: str
    side: Side
    kind: Kind
    time_in_force: TimeInForce = TimeInForce.REST
    price: Decimal = ZERO
    amount: Decimal = ZERO
    cost: Decimal = ZERO
    fee_in: FeeIn | None = None  # None: as the exchange does

    def worth(self, last: Decimal) -> Decimal:
        """About what it costs in quote currency: at its limit, else at the last price."""
        return self.cost or self.amount * (self.price or last)


@dataclass(frozen=True, slots=True)
class Order:
    """A ticket that was accepted. `filled` is in base currency, `cost` in quote.

    The terms of its fee are those of its first moment, whatever the exchange charges later: so what
    was locked is exactly what is released.
    """

    order_id: int
    account: str
    ticket: Ticket
    amount: Decimal
    status: Status
    created_ms: int
    updated_ms: int
    fee_rate: Decimal
    fee_currency: str
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet, in base currency."""
        return self.amount - self.filled

    @property
    def lock(self) -> Change:
        """What is set aside while its rest lies in the book: all that it may still spend."""
        ticket = self.ticket
        base, quote = ticket.symbol.split("/")
        spent, currency = self.remaining, base
        if ticket.side is Side.BUY:
            spent, currency = ticket.price * self.remaining, quote
        if currency == self.fee_currency:
            spent += self.fee_for(ticket.price, self.remaining)
        return Change(currency, free=-spent, locked=spent)

    def fee_for(self, price: Decimal, amount: Decimal) -> Decimal:
        """The fee of an execution."""
        is_base = self.ticket.symbol.startswith(f"{self.fee_currency}/")
        return fee_of(amount if is_base else amount * price, self.fee_rate)

    def after(self, fill: Fill) -> Order:
        """This order once that fill has happened."""
        filled = self.filled + fill.amount
        return replace(
            self,
            filled=filled,
            cost=self.cost + fill.cost,
            fee=self.fee + fill.fee,
            status=Status.FILLED if filled == self.amount else self.status,
            updated_ms=fill.timestamp_ms,
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution."""

    order_id: int
    account: str
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_currency: str
    is_maker: bool
    timestamp_ms: int
    fill_id: int = 0  # given by the ledger

    @property
    def cost(self) -> Decimal:
        """What was paid or received, in quote currency, before the fee."""
        return self.price * self.amount


@dataclass(frozen=True, slots=True)
class Change:
    """What is added to one balance; negative where it is taken away."""

    currency: str
    free: Decimal = ZERO
    locked: Decimal = ZERO

    def undone(self) -> Change:
        """The change that takes this one back."""
        return Change(self.currency, free=-self.free, locked=-self.locked)


def changes_of_fill(fill: Fill) -> list[Change]:
    """What a fill does to the free balances of the account; the fee comes last, when it can be paid."""
    base, quote = fill.symbol.split("/")
    traded = [Change(quote, free=-fill.cost), Change(base, free=fill.amount)]
    if fill.side is Side.SELL:
        traded = [Change(base, free=-fill.amount), Change(quote, free=fill.cost)]
    return [*traded, Change(fill.fee_currency, free=-fill.fee)]


def covers(free: Mapping[str, Decimal], changes: list[Change]) -> bool:
    """Whether no free balance falls below zero when all of those changes are made."""
    left = dict(free)
    for change in changes:
        left[change.currency] = left.get(change.currency, ZERO) + change.free
    return all(left[change.currency] >= 0 for change in changes)
