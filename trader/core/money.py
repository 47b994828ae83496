"""Arithmetic of money: exact, or rounded in the one way that this module knows.

Amounts and prices are decimals as they come; products and sums of them are kept to the last digit. Only a
quotient has to be rounded, and a fee, which is a share of a cost: both to `DECIMALS` places, half to even.
"""

from __future__ import annotations

import math
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

DECIMALS = 18  # the smallest unit of any asset in wide use (wei)
ZERO = Decimal(0)

_FAULTS = [InvalidOperation, DivisionByZero, Overflow]
_EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=[Inexact, *_FAULTS])
_ROUNDING = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=_FAULTS)
_UNIT = Decimal(1).scaleb(-DECIMALS)


def exactly() -> AbstractContextManager[Context]:
    """A block in which a result that would have to be rounded raises decimal.Inexact instead."""
    return localcontext(_EXACT)


def rounded(amount: Decimal) -> Decimal:
    """`amount` to DECIMALS places, half to even, without zeros at its end."""
    return plain(_ROUNDING.quantize(amount, _UNIT))


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """`dividend / divisor`, rounded."""
    return rounded(_ROUNDING.divide(dividend, divisor))


def floor_to(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `amount`."""
    steps = _ROUNDING.divide(amount, step).to_integral_value(rounding=ROUND_FLOOR)
    return plain(_ROUNDING.multiply(steps, step))


def plain(amount: Decimal) -> Decimal:
    """The same number without zeros at its end; never as -0."""
    return _EXACT.add(_EXACT.normalize(amount), ZERO)


def from_price(price: float) -> Decimal:
    """A market's price as the decimal that it is written as: 0.1 is 0.1."""
    return plain(Decimal(repr(float(price))))


def highest_up_to(limit: Decimal) -> float:
    """The highest price that is not above a limit, so that columns of prices compare with it exactly."""
    price = float(limit)
    while from_price(price) > limit:
        price = math.nextafter(price, -math.inf)
    while from_price(above := math.nextafter(price, math.inf)) <= limit:
        price = above
    return price


def lowest_from(limit: Decimal) -> float:
    """The lowest price that is not below a limit."""
    return -highest_up_to(-limit)
