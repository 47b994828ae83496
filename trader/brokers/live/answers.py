"""What an exchange tells of orders and trades, read once, here.

An answer that cannot be what the exchange wanted to say is no answer: nothing of it is written, and it is asked
again. What is believed fits the order that was asked about, and is a number that money can be.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from common.shown import shown
from trader.brokers.live.errors import UnclearError
from trader.core.money import ZERO, exactly, plain
from trader.core.order import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trader.brokers.live.ways import Raw
    from trader.core.order import Order
    from trader.core.trade import Trade

_STATUS = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.CANCELED,
    "rejected": OrderStatus.CANCELED,
    # On the way from one to another, and in Coinbase's own words, which ccxt passes on as they are.
    "canceling": OrderStatus.OPEN,
    "PENDING": OrderStatus.OPEN,
    "QUEUED": OrderStatus.OPEN,
    "CANCEL_QUEUED": OrderStatus.OPEN,
    "EDIT_QUEUED": OrderStatus.OPEN,
}
_LONGEST_ID = 128  # characters
_DIGITS = 60  # of a number, and the powers of ten that it may lie between
EARLIER_MS = 300_000  # the exchange's clock and that of the books may differ by so much
_LAST_MS = 253_402_300_799_999  # the end of the year 9999
_NEARLY = Decimal("0.01")  # a ratio: an average price is told in fewer digits than it has
# What Python raises where a part is missing, or of another type.
_NONSENSE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as the exchange tells of it; `filled` is in base currency, `placed_at` None where it is not told."""

    exchange_order_id: str
    status: OrderStatus
    filled: Decimal
    placed_at: int | None
    raw: Raw


@contextmanager
def reading(what: str, answer: Any) -> Iterator[None]:
    """A block that reads an answer; it raises UnclearError where that is not what it should be."""
    try:
        yield
    except _NONSENSE as error:
        raise UnclearError(
            f"expected {what}, found {shown(answer)}: {type(error).__name__}"
        ) from error


def seen(raw: Any) -> Seen:
    """That order.

    Raises:
        UnclearError: it lacks its id or its status, or has one that no order has.
    """
    with reading("an order", raw):
        told = raw["status"]
        if not isinstance(told, str) or told not in _STATUS:
            raise UnclearError(f"expected the status of an order, found {shown(told)}")
        filled = number(raw.get("filled") or 0)
        if filled < 0:
            raise UnclearError(f"expected an amount that is filled, found {filled}")
        placed_at = raw.get("timestamp")
        if not (placed_at is None or _is_time(placed_at)):
            raise UnclearError(f"expected the time of an order, found {shown(placed_at)}")
        return Seen(identity(raw["id"]), _STATUS[told], filled, placed_at, raw)


def identity(told: Any) -> str:
    """The id of an order or of a trade.

    Raises:
        UnclearError: it is none.
    """
    if not isinstance(told, str) or not 0 < len(told) <= _LONGEST_ID or not told.isprintable():
        raise UnclearError(f"expected an id, found {shown(told)}")
    return told


def number(told: Any) -> Decimal:
    """That number.

    Raises:
        UnclearError: it is none, or one that no amount, price or fee can be.
    """
    try:
        found = Decimal(told) if isinstance(told, str | int) and told is not True else None
    except (InvalidOperation, ValueError):
        found = None
    if found is None or not found.is_finite() or not _has_few_digits(found):
        raise UnclearError(f"expected a number, found {shown(told)}")
    return plain(found)


def _has_few_digits(found: Decimal) -> bool:
    _, digits, exponent = found.as_tuple()
    assert isinstance(exponent, int)
    return len(digits) <= _DIGITS and -_DIGITS <= exponent <= _DIGITS


def moment(raw: Raw) -> tuple[int, str]:
    """When a trade was made, by the exchange's clock, and its id: the order of trades.

    Raises:
        UnclearError: it is no time.
    """
    told = raw["timestamp"]
    if not _is_time(told):
        raise UnclearError(f"expected the time of a trade, found {shown(told)}")
    return told, identity(raw["id"])


def _is_time(told: Any) -> bool:
    return isinstance(told, int) and 0 < told <= _LAST_MS


def fee(raw: Raw, order: Order) -> tuple[Decimal, str]:
    """What a trade's fee is, and of which currency; of none where there is no fee.

    Raises:
        UnclearError: it is not told, of several currencies, or as much as was traded.
    """
    told = [one for one in raw.get("fees") or [raw.get("fee")] if one]
    if not told or any(one.get("cost") is None for one in told):
        raise UnclearError(f"expected the fee of a trade, 0 for none, found {shown(told)}")
    fees = [one for one in told if number(one["cost"])]
    base, _, quote = order.symbol.partition("/")
    currencies = {one["currency"] for one in fees}
    if len(currencies) > 1:
        raise UnclearError(f"expected one currency of a trade's fee, found {shown(currencies)}")
    with exactly():
        total = plain(sum((number(one["cost"]) for one in fees), ZERO))
        amount = number(raw["amount"])
        traded = {base: amount, quote: amount * number(raw["price"])}
    currency = currencies.pop() if currencies else quote
    if not isinstance(currency, str) or not currency.isalnum():
        raise UnclearError(f"expected the currency of a trade's fee, found {shown(currency)}")
    if currency in traded and abs(total) >= traded[currency]:
        raise UnclearError(f"expected a fee below what was traded, found {total} {currency}")
    return total, currency


def require_of(order: Order, found: Seen, raw: Raw) -> None:
    """Refuses a trade of another order than this, which the exchange told of as `found`.

    Raises:
        UnclearError: it is one.
    """
    expected = {"order": order.exchange_order_id, "symbol": order.symbol, "side": order.side.value}
    for name, value in expected.items():
        if raw.get(name) is not None and raw[name] != value:
            raise UnclearError(
                f"expected a trade with the {name} {value}, found {shown(raw[name])}"
            )
    placed_at = order.decided_at if found.placed_at is None else found.placed_at
    if moment(raw)[0] < min(placed_at, order.decided_at) - EARLIER_MS:
        raise UnclearError(f"expected a trade of {order.client_order_id}, found an older one")


def require_agreement(found: Seen, made: Sequence[Trade]) -> None:
    """Compares all trades of an order with what the order itself says of them.

    Raises:
        UnclearError: they add up to more, or to all of it at another price.
    """
    with exactly():
        amount = sum((one.amount for one in made), ZERO)
        cost = sum((one.cost for one in made), ZERO)
        if amount * (1 - _NEARLY) > found.filled:
            raise UnclearError(f"expected trades of {found.filled:f}, found {amount:f}")
        average = found.raw.get("average")
        if not average or not amount or amount < found.filled:
            return
        told = number(average) * amount
        if abs(cost - told) > told * _NEARLY:
            raise UnclearError(
                f"expected trades at {average} on average, found {cost:f} for {amount:f}"
            )
