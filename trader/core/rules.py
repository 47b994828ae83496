"""The rules a decision keeps: the user's, and the market's."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

SMALLEST_AMOUNT = Decimal(
    "0.00000001"
)  # where the market tells no step: what exchanges keep books in


@dataclass(frozen=True, slots=True)
class Rules:
    """What the user allows. The stake is in quote currency; the rest but the age are ratios.

    `stop_loss` and `take_profit` are of the average entry, fees inside; None for none. A signal older than
    `max_signal_age_s`, in seconds since its candle closed, opens nothing.
    """

    stake: Decimal
    fee_rate: Decimal
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    max_signal_age_s: float = 120.0


@dataclass(frozen=True, slots=True)
class MarketRules:
    """What the exchange takes. Amounts are in base currency, the least cost is in quote currency."""

    amount_step: Decimal = SMALLEST_AMOUNT
    min_amount: Decimal | None = None
    min_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """The moment of a decision.

    `now` is the exchange's time; `age_s` how long ago the candle closed, in seconds of somebody who waits;
    `newest` whether no later candle has closed. `no_orders` and `no_entries` say why there may be none.
    """

    now: int
    age_s: float = 0.0
    newest: bool = True
    no_orders: str | None = None
    no_entries: str | None = None
