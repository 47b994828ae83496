"""The rules a decision keeps: the user's, and the market's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from trader.core.money import ZERO, exactly, floor_to, plain
from trader.core.order import OrderType

SMALLEST_AMOUNT = Decimal(
    "0.00000001"
)  # where the market tells no step: what exchanges keep books in
_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the user allows. Ratios are between 0 and 1; None, or 0 candles, is for none.

    stake: what one entry may cost, fee included, in quote currency; or
    stake_share: the same as a ratio of the equity.
    fee_rate: the fee that is expected, a ratio of the cost.
    stop_loss, take_profit: ratios of the average entry, fees inside.
    trailing_stop: a ratio of the highest price since the entry.
    max_holding: after how many candles a position is left.
    cooldown: for how many candles after a losing round trip nothing is entered.
    daily_loss: the loss since the UTC day began, as a ratio of the equity then, at which entries end for that day.
    max_drawdown: the loss from the highest equity at which entries end until a person resumes.
    symbol_cap: what all strategies together may hold of the symbol, in quote currency.
    order_type: of entries, and of the exits that a signal asks for; those that protect are market orders.
    max_signal_age_s: a signal older than this, since its candle closed, opens nothing.
    """

    stake: Decimal | None
    fee_rate: Decimal
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    max_signal_age_s: float = 120.0
    stake_share: Decimal | None = None
    trailing_stop: Decimal | None = None
    max_holding: int = 0
    cooldown: int = 0
    daily_loss: Decimal | None = None
    max_drawdown: Decimal | None = None
    symbol_cap: Decimal | None = None
    order_type: OrderType = OrderType.MARKET

    def __post_init__(self) -> None:
        if (self.stake is None) == (self.stake_share is None):
            raise ValueError(
                f"rules: expected a stake or a share of the equity, found {self.stake} and {self.stake_share}"
            )

    @property
    def limits_equity(self) -> bool:
        """Whether the equity at each candle can end entries."""
        return self.daily_loss is not None or self.max_drawdown is not None

    @property
    def fall(self) -> Decimal:
        """The fall of the price that an entry has to be sellable after: that to the first stop, else a half."""
        stops = [stop for stop in (self.stop_loss, self.trailing_stop) if stop is not None]
        return min(stops, default=_HALF)

    @property
    def guards_price(self) -> bool:
        """Whether prices between candles can end a position."""
        return not (self.stop_loss is self.take_profit is self.trailing_stop is None)

    def stake_of(self, cash: Decimal) -> Decimal:
        """What an entry may cost when nothing is held, so that the cash is the equity."""
        if self.stake_share is None:
            assert self.stake is not None
            return self.stake
        with exactly():
            return plain(cash * self.stake_share)


@dataclass(frozen=True, slots=True)
class MarketRules:
    """What the exchange takes.

    Steps of amounts and the least amount are in base currency, price steps and the least cost in quote currency.
    """

    amount_step: Decimal = SMALLEST_AMOUNT
    min_amount: Decimal | None = None
    min_cost: Decimal | None = None
    price_step: Decimal | None = None

    def tradable(self, amount: Decimal) -> Decimal:
        """As much of that amount as whole steps make up."""
        return floor_to(amount, self.amount_step)

    def refusal(self, amount: Decimal, price: Decimal) -> str | None:
        """Why the exchange would not take an order of that amount (whole steps) at about that price."""
        with exactly():
            cost = plain(amount * price)
        if not amount:
            return f"amount is less than the least step {self.amount_step:f}"
        if self.min_amount is not None and amount < self.min_amount:
            return f"amount {amount:f} is below the market's least, {self.min_amount:f}"
        if self.min_cost is not None and cost < self.min_cost:
            return f"cost {cost:f} is below the market's least, {self.min_cost:f}"
        return None

    def is_dust(self, amount: Decimal, price: Decimal) -> bool:
        """Whether nothing of that amount could be sold at about that price."""
        return amount > ZERO and self.refusal(self.tradable(amount), price) is not None

    def price_of_limit(self, price: Decimal) -> Decimal:
        """A limit order's price: the highest that is not above `price` and that the exchange takes."""
        if self.price_step is None:
            return price
        return max(floor_to(price, self.price_step), self.price_step)


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

    def without_entries(self, why: str) -> Conditions:
        """The same moment, in which there may be no entries: for that reason, unless there is one already."""
        return replace(self, no_entries=self.no_entries or why)
