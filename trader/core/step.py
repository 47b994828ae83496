"""The decision at a closed candle: the same in backtest, paper and live, since it depends on its arguments alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.decision import Decision, State, leave, no_trade
from trader.core.money import exactly, from_price, quotient
from trader.core.order import Order, OrderType, Purpose, Side, client_order_id
from trader.core.signal import SignalKind

if TYPE_CHECKING:
    from decimal import Decimal

    from common.candle import Candle
    from trader.core.position import Position
    from trader.core.signal import Signal


def step(state: State, candle: Candle, signal: Signal) -> Decision:
    """What to do about the signal at a closed candle, and about a position that was held long enough."""
    position = state.books.position
    overdue = position is not None and _is_overdue(state, position, candle)
    if why := _why_no_order(state, signal, overdue=overdue):
        return no_trade(why)
    if signal.kind is not SignalKind.SELL and not overdue:
        return _enter(state, candle, signal)
    if position is None:
        return no_trade("no position to sell")
    purpose, reason = Purpose.EXIT, signal.reason
    if signal.kind is not SignalKind.SELL:
        purpose, reason = Purpose.TIME_STOP, f"held for {state.rules.max_holding} candles"
    return leave(
        state,
        position,
        purpose,
        from_price(candle.close),
        reason=reason,
        signal_timestamp=candle.timestamp,
        moment=candle.timestamp,
        type=state.rules.order_type,
    )


def exit_again(state: State, price: Decimal) -> Decision | None:
    """Sells, at the market, what an exit has left over; None where there is no such exit, or no order may be."""
    position, failed = state.books.position, state.books.exiting
    if position is None or failed is None or state.books.pending or state.conditions.no_orders:
        return None
    return leave(
        state,
        position,
        failed.purpose,
        price,
        reason=failed.reason,
        signal_timestamp=failed.signal_timestamp,
        moment=failed.signal_timestamp,
    )


def _why_no_order(state: State, signal: Signal, *, overdue: bool) -> str | None:
    """Why there is nothing to order, whichever way; None if there may be."""
    if signal.kind is SignalKind.HOLD and not overdue:
        return "signal is hold"
    if state.conditions.no_orders:
        return state.conditions.no_orders
    if state.books.pending is not None:
        return "order pending"
    if state.books.exiting is not None:
        return "an exit that was not filled is tried again"
    return None


def _is_overdue(state: State, position: Position, candle: Candle) -> bool:
    """Whether as many candles have closed since the entry as the position may be held for."""
    held = (candle.timestamp + state.length) // state.length - position.opened_at // state.length
    return 0 < state.rules.max_holding <= held


def _enter(state: State, candle: Candle, signal: Signal) -> Decision:
    rules, market = state.rules, state.market
    if why := _why_no_entry(state, candle):
        return no_trade(why)
    stake, price = rules.stake_of(state.books.cash), from_price(candle.close)
    if rules.order_type is OrderType.LIMIT:
        price = market.price_of_limit(price)
    with exactly():
        price_with_fee = price * (1 + rules.fee_rate)
    amount = market.tradable(quotient(stake, price_with_fee))
    if why := _why_not_that_much(state, stake, amount, price):
        return no_trade(why)
    order = Order(
        client_order_id(state.strategy_id, state.symbol, Purpose.ENTRY, candle.timestamp),
        state.symbol,
        Side.BUY,
        amount,
        signal.reason,
        candle.timestamp,
        state.conditions.now,
        rules.order_type,
        price if rules.order_type is OrderType.LIMIT else None,
        reserved=stake,
    )
    return Decision(f"buy {amount:f}", order)


def _why_no_entry(state: State, candle: Candle) -> str | None:
    conditions, rules = state.conditions, state.rules
    if conditions.no_entries:
        return conditions.no_entries
    if state.books.position is not None:
        return "position already open"
    if not conditions.newest:
        return "a newer candle has closed"
    if conditions.age_s > rules.max_signal_age_s:
        return f"candle closed {conditions.age_s:.0f} s ago, limit {rules.max_signal_age_s:g} s"
    if wait := _candles_to_wait(state, candle):
        return f"cooling down after a loss: {wait} of {rules.cooldown} candles to go"
    return None


def _candles_to_wait(state: State, candle: Candle) -> int:
    """How many candles of the cooldown are still to come."""
    closed = state.books.last_closed
    if closed is None or closed.profit >= 0:
        return 0
    passed = (candle.timestamp + state.length) // state.length - closed.at // state.length
    cooldown = state.rules.cooldown
    return min(
        max(0, cooldown - passed + 1), cooldown
    )  # the candle may have closed before the loss


def _why_not_that_much(state: State, stake: Decimal, amount: Decimal, price: Decimal) -> str | None:
    rules, market = state.rules, state.market
    if not amount:
        return f"stake {stake:f} buys less than the least step {market.amount_step:f}"
    if why := market.refusal(amount, price):
        return why
    with exactly():
        left, lower = amount * (1 - rules.fee_rate), price * (1 - rules.fall)
    if why := market.refusal(market.tradable(left), lower):
        return f"it could not be sold {rules.fall:.2%} lower, fee off: {why}"
    if stake > state.books.cash:
        return f"stake {stake:f} is more than the cash {state.books.cash:f}"
    if rules.symbol_cap is not None and stake > rules.symbol_cap:
        return f"stake {stake:f} is more than the cap of {state.symbol}, {rules.symbol_cap:f}"
    return None
