"""Orders, their fills and what they do to an account: values and arithmetic, nothing stored here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ZERO = Decimal(0)
_FEE_STEP = Decimal("0.00000001")


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
    """An order as it is asked for. Either `amount` (base) or, at the market, `cost` (quote) is set."""

    symbol: str
    client_order_id: str
    side: Side
    kind: Kind
    time_in_force: TimeInForce = TimeInForce.REST
    price: Decimal = ZERO
    amount: Decimal = ZERO
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Order:
    """A ticket that was accepted. `filled` is in base currency, `cost` in quote."""

    order_id: int
    account: str
    ticket: Ticket
    amount: Decimal
    status: Status
    created_ms: int
    updated_ms: int
    filled: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet, in base currency."""
        return self.amount - self.filled

    def after(self, fill: Fill) -> Order:
        """This order once that fill has happened."""
        filled = self.filled + fill.amount
        return replace(
            self,
            filled=filled,
            cost=self.cost + fill.cost,
            status=Status.FILLED if filled == self.amount else self.status,
            updated_ms=fill.timestamp_ms,
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. The fee is taken from what the trader receives: base for a buy."""

    order_id: int
    account: str
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    fee: Decimal
    is_maker: bool
    timestamp_ms: int
    fill_id: int = 0  # given by the ledger

    @property
    def cost(self) -> Decimal:
        """What was paid or received, in quote currency, before the fee."""
        return self.price * self.amount

    @property
    def fee_currency(self) -> str:
        """What the fee is taken in."""
        base, quote = self.symbol.split("/")
        return base if self.side is Side.BUY else quote


@dataclass(frozen=True, slots=True)
class Change:
    """What is added to one balance; negative where it is taken away."""

    currency: str
    free: Decimal = ZERO
    locked: Decimal = ZERO


def fee_of(side: Side, price: Decimal, amount: Decimal, rate: Decimal) -> Decimal:
    """The fee of one fill, in the currency that is received, rounded down to 8 decimals."""
    received = amount if side is Side.BUY else amount * price
    return (received * rate).quantize(_FEE_STEP, rounding=ROUND_DOWN)


def changes_of_fill(fill: Fill, *, locked_price: Decimal | None) -> list[Change]:
    """What a fill does to the account.

    Args:
        fill: the execution.
        locked_price: the price at which quote currency was locked for it, 0 for a sale out of
            locked base currency, None where nothing was locked.
    """
    base, quote = fill.symbol.split("/")
    if fill.side is Side.BUY:
        received = Change(base, free=fill.amount - fill.fee)
        if locked_price is None:
            return [Change(quote, free=-fill.cost), received]
        locked = locked_price * fill.amount
        return [Change(quote, free=locked - fill.cost, locked=-locked), received]
    received = Change(quote, free=fill.cost - fill.fee)
    if locked_price is None:
        return [Change(base, free=-fill.amount), received]
    return [Change(base, locked=-fill.amount), received]


def lock_of(ticket: Ticket, amount: Decimal) -> Change:
    """What is set aside while that amount of a limit order rests. Its negative is the release."""
    base, quote = ticket.symbol.split("/")
    if ticket.side is Side.BUY:
        cost = ticket.price * amount
        return Change(quote, free=-cost, locked=cost)
    return Change(base, free=-amount, locked=amount)


def released(lock: Change) -> Change:
    """The change that undoes a lock."""
    return Change(lock.currency, free=-lock.free, locked=-lock.locked)


def covers(free: Mapping[str, Decimal], changes: list[Change]) -> bool:
    """Whether no free balance falls below zero when all of those changes are made."""
    left = dict(free)
    for change in changes:
        left[change.currency] = left.get(change.currency, ZERO) + change.free
    return all(left[change.currency] >= 0 for change in changes)
