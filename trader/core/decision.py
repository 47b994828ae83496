"""A decision and what it depends on; and how a position is left, whoever asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trader.core.order import Order, OrderType, Purpose, Side, client_order_id

if TYPE_CHECKING:
    from decimal import Decimal

    from trader.core.books import Books
    from trader.core.position import Position
    from trader.core.rules import Conditions, MarketRules, Rules


@dataclass(frozen=True, slots=True)
class State:
    """All that a decision depends on besides the candle and the signal, or the price.

    `length` is that of a candle, in milliseconds.
    """

    strategy_id: str
    symbol: str
    length: int
    rules: Rules
    market: MarketRules
    books: Books
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, in words for a person: an order to send, or a position to write off for that reason."""

    text: str
    order: Order | None = None
    write_off: str | None = None


def leave(
    state: State,
    position: Position,
    purpose: Purpose,
    price: Decimal,
    *,
    reason: str,
    signal_timestamp: int,
    moment: int,
    decided_at: int | None = None,
    type: OrderType = OrderType.MARKET,  # noqa: A002 - the field's name
) -> Decision:
    """Sells the position; or writes it off where the market's rules let nothing of it be sold.

    Args:
        state: as it is now.
        position: the open one.
        purpose: why it is left.
        price: at about which price.
        reason: the same in words.
        signal_timestamp: the open time of the last candle that was evaluated.
        moment: what distinguishes this exit from others with its purpose, see `client_order_id`.
        decided_at: the exchange's time; None for the state's.
        type: a limit order is for `price`, rounded as the market asks.
    """
    amount = state.market.tradable(position.amount)
    if why := state.market.refusal(amount, price):
        text = f"{reason}; too little to sell: {why}"
        return Decision(f"write off {position.amount:f}: {why}", write_off=text)
    order = Order(
        client_order_id(state.strategy_id, state.symbol, purpose, moment, state.books.failed_exits),
        state.symbol,
        Side.SELL,
        amount,
        reason,
        signal_timestamp,
        state.conditions.now if decided_at is None else decided_at,
        type,
        state.market.price_of_limit(price) if type is OrderType.LIMIT else None,
        purpose=purpose,
    )
    return Decision(f"sell {amount:f}", order)


def no_trade(why: str) -> Decision:
    """Nothing is done, for that reason."""
    return Decision(f"no trade: {why}")
