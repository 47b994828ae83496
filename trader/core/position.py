"""A position: what trades add up to, from open to closed.

Average-cost accounting, fees inside: what a buy costs with its fee is added to the entry cost; a sell takes
away the share of the entry cost that belongs to what is sold, and realises its proceeds less its fee less that
share. A fee in base currency makes what is held smaller instead. The share is rounded (see `money`), the rest is
what the share leaves, and a sell of all that is held takes all: so when the position closes nothing is left,
and at every moment

    cash + entry cost of what is held = starting balance + realised profit

Dust is what a position holds when the market's rules let it be sold no more: less than one step, the least
amount or the least cost. Then it is written off: the position closes, its entry cost is realised as a loss,
and what it held is kept as `dust`. So is what a person has written off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trader.core.money import ZERO, exactly, plain, quotient
from trader.core.order import Side

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.trade import Trade


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one symbol. Amount in base currency, all else in quote, times by the exchange's clock.

    `average_entry` is quote per base with fees inside; of a closed position, that of what was held last. `dust`
    is the amount that was written off.
    """

    symbol: str
    opened_at: int
    amount: Decimal = ZERO
    entry_cost: Decimal = ZERO
    average_entry: Decimal = ZERO
    realised_profit: Decimal = ZERO
    fees: Decimal = ZERO
    closed_at: int | None = None
    exit_reason: str | None = None
    dust: Decimal = ZERO

    def after(self, trade: Trade, reason: str | None = None) -> Position:
        """The position that this trade makes of it; `reason` is kept if that closes it.

        Raises:
            ValueError: the trade is another symbol's, sells more than is held, or comes after the close.
        """
        if trade.symbol != self.symbol or self.closed_at is not None:
            raise ValueError(f"position: expected a trade of the open {self.symbol}, found {trade}")
        return self._bought(trade) if trade.side is Side.BUY else self._sold(trade, reason)

    def written_off(self, timestamp: int, reason: str) -> Position:
        """The position closed with what it holds as dust.

        Raises:
            ValueError: it is closed.
        """
        if self.closed_at is not None:
            raise ValueError(f"position: expected an open one to write off, found {self}")
        with exactly():
            realised = plain(self.realised_profit - self.entry_cost)
        return replace(
            self,
            amount=ZERO,
            entry_cost=ZERO,
            realised_profit=realised,
            closed_at=timestamp,
            exit_reason=reason,
            dust=self.amount,
        )

    def _bought(self, trade: Trade) -> Position:
        with exactly():
            amount = plain(self.amount + trade.base_change)
            entry_cost = plain(self.entry_cost - trade.quote_change)
            fees = plain(self.fees + trade.fee_cost)
        average = quotient(entry_cost, amount)
        return Position(
            self.symbol, self.opened_at, amount, entry_cost, average, self.realised_profit, fees
        )

    def _sold(self, trade: Trade, reason: str | None) -> Position:
        sold = -trade.base_change
        with exactly():
            amount = plain(self.amount - sold)
            if amount < 0:
                raise ValueError(
                    f"position: expected a sell of at most {self.amount}, found {sold}"
                )
            released = self.entry_cost
            if amount:
                released = quotient(self.entry_cost * sold, self.amount)
            return Position(
                self.symbol,
                self.opened_at,
                amount,
                plain(self.entry_cost - released),
                self.average_entry,
                plain(self.realised_profit + trade.quote_change - released),
                plain(self.fees + trade.fee_cost),
                None if amount else trade.timestamp,
                None if amount else reason,
            )
