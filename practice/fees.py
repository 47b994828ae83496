"""What a practice exchange takes of every trade, and in which currency it takes it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

_STEP = Decimal("0.00000001")


class FeeIn(StrEnum):
    """The currency of a fee."""

    RECEIVED = "received"  # what the trader gets: base for a buy, quote for a sale
    BASE = "base"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Fees:
    """The fees of one exchange."""

    rate: Decimal  # a share of what is traded
    taken_in: FeeIn  # where an order does not say otherwise
    inside_cost: bool = False  # whether an order for a cost has to pay its fee out of that cost


_TAKEN = {
    "binance": (FeeIn.RECEIVED, False),
    "coinbase": (FeeIn.QUOTE, True),
    "kraken": (FeeIn.QUOTE, False),
}


def fees_of(exchange: str, rate: Decimal) -> Fees:
    """The fees of that exchange at that rate."""
    return Fees(rate, *_TAKEN[exchange])


def fee_currency(symbol: str, fee_in: FeeIn, *, buys: bool) -> str:
    """The currency of the fee of a trade in that market."""
    base, quote = symbol.split("/")
    is_base = fee_in is FeeIn.BASE or (fee_in is FeeIn.RECEIVED and buys)
    return base if is_base else quote


def fee_of(traded: Decimal, rate: Decimal) -> Decimal:
    """That share of what was traded, rounded down to 8 decimals.

    Because it is rounded down, the fees of an order's parts never exceed the fee of the whole.
    """
    return (traded * rate).quantize(_STEP, rounding=ROUND_DOWN)
