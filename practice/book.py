"""The order book that a practice exchange displays, and what an order takes out of it.

The book has the same depth at each of a few price levels on either side. Every order finds it full,
and one that has taken what it could finds it full again `REFILL_MS` later.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from practice.orders import ZERO, Side

LEVELS = 20
LEVEL_GAP = 20_000  # one level is a 20,000th of the price away from the next
REFILL_MS = 15_000


@dataclass(frozen=True, slots=True)
class Level:
    """What is on offer at one price, in base currency."""

    price: Decimal
    amount: Decimal


def levels(best: Decimal, side: Side, *, gap: Decimal, depth: Decimal) -> list[Level]:
    """The levels that an order of that side trades with, best price first.

    Args:
        best: the ask for a buy, the bid for a sale.
        side: of the order that takes them.
        gap: from one level to the next, in quote currency.
        depth: the amount at each level.
    """
    sign = 1 if side is Side.BUY else -1
    prices = (best + sign * number * gap for number in range(LEVELS))
    return [Level(price, depth) for price in prices if price > 0]


def taken_amount(offers: list[Level], amount: Decimal) -> list[Level]:
    """What an order of that amount takes, level by level; less than asked if the book is too thin."""
    taken = []
    for offer in offers:
        part = min(offer.amount, amount)
        if part <= 0:
            break
        taken.append(Level(offer.price, part))
        amount -= part
    return taken


def taken_cost(offers: list[Level], cost: Decimal, step: Decimal) -> list[Level]:
    """What that much quote currency buys or a sale for it takes, in whole steps of the amount."""
    taken = []
    for offer in offers:
        wanted = (cost / offer.price).quantize(step, rounding=ROUND_DOWN)
        part = min(offer.amount, wanted)
        if part <= 0:
            break
        taken.append(Level(offer.price, part))
        cost -= part * offer.price
    return taken


def within(offers: list[Level], side: Side, limit: Decimal) -> list[Level]:
    """The levels whose price is no worse than the limit."""
    if side is Side.BUY:
        return [offer for offer in offers if offer.price <= limit]
    return [offer for offer in offers if offer.price >= limit]


def total(taken: list[Level]) -> Decimal:
    """The amount of all those levels."""
    return sum((level.amount for level in taken), ZERO)
