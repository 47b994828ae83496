"""The decision: the same in backtest, paper and live, since it depends on its arguments alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trader.core.money import exactly, floor_to, from_price, plain, quotient
from trader.core.order import Order, Purpose, Side, client_order_id
from trader.core.signal import SignalKind

if TYPE_CHECKING:
    from decimal import Decimal

    from common.candle import Candle, Ticker
    from trader.core.books import Books
    from trader.core.position import Position
    from trader.core.rules import Conditions, MarketRules, Rules
    from trader.core.signal import Signal


@dataclass(frozen=True, slots=True)
class State:
    """All that a decision depends on besides the candle and the signal, or the ticker."""

    strategy_id: str
    symbol: str
    rules: Rules
    market: MarketRules
    books: Books
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, in words for a person, and the order to send if there is one."""

    text: str
    order: Order | None = None


def step(state: State, candle: Candle, signal: Signal) -> Decision:
    """What to do about the signal at a closed candle."""
    if signal.kind is SignalKind.HOLD:
        return _no_trade("signal is hold")
    if why := state.conditions.no_orders:
        return _no_trade(why)
    if state.books.pending is not None:
        return _no_trade("order pending")
    if signal.kind is SignalKind.BUY:
        return _enter(state, candle, signal)
    if state.books.position is None:
        return _no_trade("no position to sell")
    return _exit(state, state.books.position, Purpose.EXIT, candle.timestamp, signal.reason)


def guard(state: State, ticker: Ticker, signal_timestamp: int) -> Decision | None:
    """What the stop-loss and the take-profit do about a ticker; None if they do nothing.

    Args:
        state: as for `step`; of its conditions, `now` and `no_orders` count.
        ticker: the newest one; its bid counts, or where there is none its last price.
        signal_timestamp: the open time of the last candle that was evaluated.
    """
    position = state.books.position
    if position is None or state.books.pending is not None or state.conditions.no_orders:
        return None
    if ticker.timestamp <= position.opened_at:
        return None  # a price from before there was something to guard
    price = from_price(ticker.bid if ticker.bid is not None else ticker.last)
    found = _limit_reached(position, state.rules, price)
    if found is None:
        return None
    purpose, limit = found
    side = "below" if purpose is Purpose.STOP_LOSS else "above"
    reason = f"{purpose.value}: price {price:f} is at or {side} {limit:.10g}"
    # After the price that led to it, also where the exchange's clock was just corrected backwards.
    now = max(state.conditions.now, ticker.timestamp + 1)
    after = replace(state, conditions=replace(state.conditions, now=now))
    return _exit(after, position, purpose, signal_timestamp, reason)


def limits(position: Position, rules: Rules) -> tuple[Decimal | None, Decimal | None]:
    """The prices of the stop-loss and of the take-profit; None for one that there is not."""
    stop = target = None
    with exactly():
        if rules.stop_loss is not None:
            stop = plain(position.average_entry * (1 - rules.stop_loss))
        if rules.take_profit is not None:
            target = plain(position.average_entry * (1 + rules.take_profit))
    return stop, target


def _limit_reached(
    position: Position, rules: Rules, price: Decimal
) -> tuple[Purpose, Decimal] | None:
    stop, target = limits(position, rules)
    if stop is not None and price <= stop:
        return Purpose.STOP_LOSS, stop
    if target is not None and price >= target:
        return Purpose.TAKE_PROFIT, target
    return None


def _enter(state: State, candle: Candle, signal: Signal) -> Decision:
    rules, books = state.rules, state.books
    if why := _why_no_entry(state):
        return _no_trade(why)
    price = from_price(candle.close)
    with exactly():
        price_with_fee = price * (1 + rules.fee_rate)
    amount = floor_to(quotient(rules.stake, price_with_fee), state.market.amount_step)
    if why := _why_not_that_amount(state, amount, price):
        return _no_trade(why)
    if rules.stake > books.cash:
        return _no_trade(f"stake {rules.stake:f} is more than the cash {books.cash:f}")
    order = Order(
        client_order_id(state.strategy_id, state.symbol, Purpose.ENTRY, candle.timestamp),
        state.symbol,
        Side.BUY,
        amount,
        signal.reason,
        candle.timestamp,
        state.conditions.now,
    )
    return Decision(f"buy {amount:f}", order)


def _why_no_entry(state: State) -> str | None:
    conditions, limit_s = state.conditions, state.rules.max_signal_age_s
    if conditions.no_entries:
        return conditions.no_entries
    if state.books.position is not None:
        return "position already open"
    if not conditions.newest:
        return "a newer candle has closed"
    if conditions.age_s > limit_s:
        return f"candle closed {conditions.age_s:.0f} s ago, limit {limit_s:g} s"
    return None


def _why_not_that_amount(state: State, amount: Decimal, price: Decimal) -> str | None:
    market = state.market
    with exactly():
        cost = plain(amount * price)
    if not amount:
        return f"stake {state.rules.stake:f} buys less than the least step {market.amount_step:f}"
    if market.min_amount is not None and amount < market.min_amount:
        return f"amount {amount:f} is below the market's least, {market.min_amount:f}"
    if market.min_cost is not None and cost < market.min_cost:
        return f"cost {cost:f} is below the market's least, {market.min_cost:f}"
    return None


def _exit(
    state: State, position: Position, purpose: Purpose, signal_timestamp: int, reason: str
) -> Decision:
    moment = signal_timestamp if purpose is Purpose.EXIT else position.opened_at
    attempt = 0 if purpose is Purpose.EXIT else state.books.failed_exits
    order = Order(
        client_order_id(state.strategy_id, state.symbol, purpose, moment, attempt),
        state.symbol,
        Side.SELL,
        position.amount,
        reason,
        signal_timestamp,
        state.conditions.now,
    )
    return Decision(f"sell {position.amount:f}", order)


def _no_trade(why: str) -> Decision:
    return Decision(f"no trade: {why}")
