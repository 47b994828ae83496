"""What protects a position between candles: stop-loss, trailing stop and take-profit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trader.core.decision import Decision, State, leave
from trader.core.money import exactly, from_price, plain
from trader.core.order import Purpose

if TYPE_CHECKING:
    from decimal import Decimal

    from common.candle import Ticker
    from trader.core.position import Position
    from trader.core.rules import Rules


@dataclass(frozen=True, slots=True)
class Limits:
    """The prices at which a position is left: at or below the stop, at or above the target; None for none."""

    stop: Decimal | None
    target: Decimal | None
    stop_purpose: Purpose = Purpose.STOP_LOSS


def limits(position: Position, rules: Rules, highest: Decimal | None) -> Limits:
    """The limits of a position.

    Args:
        position: the open one.
        rules: what the user allows.
        highest: the highest price since its entry, which the trailing stop follows; None: not known yet.
    """
    stop = target = trailing = None
    with exactly():
        if rules.stop_loss is not None:
            stop = plain(position.average_entry * (1 - rules.stop_loss))
        if rules.take_profit is not None:
            target = plain(position.average_entry * (1 + rules.take_profit))
        if rules.trailing_stop is not None and highest is not None:
            trailing = plain(highest * (1 - rules.trailing_stop))
    if trailing is not None and (stop is None or trailing > stop):
        return Limits(trailing, target, Purpose.TRAILING_STOP)
    return Limits(stop, target)


def guard(
    state: State,
    ticker: Ticker,
    signal_timestamp: int,
    highest: Decimal | None = None,
    sold_at: Decimal | None = None,
) -> Decision | None:
    """What the limits do about a ticker; None if they do nothing.

    Args:
        state: as for `step`; of its conditions, `now` and `no_orders` count.
        ticker: the newest one; its bid counts, or where there is none its last price.
        signal_timestamp: the open time of the last candle that was evaluated.
        highest: the highest price since the entry, of this ticker or before; for the trailing stop.
        sold_at: at about which price it can be sold, if not at the ticker's.
    """
    books = state.books
    position = books.position
    if position is None or books.pending or books.exiting or state.conditions.no_orders:
        return None
    if ticker.timestamp <= position.opened_at:
        return None  # a price from before there was something to guard
    price = from_price(ticker.bid if ticker.bid is not None else ticker.last)
    found = limits(position, state.rules, highest)
    if found.stop is not None and price <= found.stop:
        purpose, limit, side = found.stop_purpose, found.stop, "below"
    elif found.target is not None and price >= found.target:
        purpose, limit, side = Purpose.TAKE_PROFIT, found.target, "above"
    else:
        return None
    return leave(
        state,
        position,
        purpose,
        price if sold_at is None else sold_at,
        reason=f"{purpose.value}: price {price:f} is at or {side} {limit:.10g}",
        signal_timestamp=signal_timestamp,
        moment=position.opened_at,
        # After the price that led to it, also where the exchange's clock was just corrected backwards.
        decided_at=max(state.conditions.now, ticker.timestamp + 1),
    )
