"""The changes that orders and trades, as they were written, make of the books: by the code that made them then.

An order is on its way until it has ended, and the next one is written after that; so the order of all changes is
known from the rows, and with it the books after each. Between which candles they came is for `course` to find.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trader.core.books import Books
    from trader.core.position import Position
    from trader.ledger.written import OrderRow


class Why(Enum):
    """What led to a change of the books."""

    SIGNAL = "signal"  # decided at a candle, and written with its signal
    LIMIT = "limit"  # decided between candles
    AGAIN = "again"  # what an exit has left over
    OUTCOME = "outcome"  # what came of an order
    PERSON = "person"  # written off by hand


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the books before and after it, and what is known of when it came.

    candle: the open time of the last candle that was evaluated before it, where that is known.
    earliest, latest: by this machine's clock, where that is known.
    before_close_after: by the exchange's clock; candles that close later were evaluated after it.
    order: the order that was written, or that this came of.
    written_off: the position as it was closed as dust, where that is not what came of an order.
    """

    why: Why
    before: Books
    after: Books
    candle: int | None = None
    earliest: int | None = None
    latest: int | None = None
    before_close_after: int | None = None
    order: OrderRow | None = None
    written_off: Position | None = None
