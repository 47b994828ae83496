"""From what ccxt hands over to what the suite believes: candles, tickers and markets, checked here once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from common.candle import BadMarketData, Candle, Ticker
from common.exchange_status import Market
from common.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backfiller.planner import Span
    from common.clock import MarketClock
    from common.exchange_calls import Answer
    from common.timeframe import Timeframe

_FIELDS = 6
_DECIMAL_PLACES = 2  # ccxt's precisionMode
_PLACES, _MOST_RULE = (
    30,
    10**18,
)  # decimal places, and a least amount or cost, that no market goes beyond


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not stored, and why."""

    row: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Candles:
    """What an answer held of a window: closed candles, oldest first, and the rows that are none."""

    candles: list[Candle]
    rejected: list[Rejected]


def candles_of(answer: Answer, timeframe: Timeframe, window: Span, clock: MarketClock) -> Candles:
    """The candles of a window that were closed before the question for them was sent.

    A candle that closed while the answer was on its way may still be shown as it was before its last
    trades, so it is left for the next time. Rows outside the window are passed over.
    """
    closed_until = clock.at(answer.sent_at)
    future = timeframe.close_of(timeframe.floor(clock.at(answer.arrived_at)))
    found: dict[int, Candle] = {}
    rejected = []
    contradicted = set()
    for row in answer.content:
        try:
            candle = _candle(row, timeframe, future)
        except BadMarketData as error:
            rejected.append(Rejected(row, str(error)))
            continue
        known = found.get(candle.timestamp, candle)
        if known != candle:
            contradicted.add(candle.timestamp)
            rejected.append(Rejected(row, f"timestamp: expected it once, found it as {known} too"))
            continue
        if candle.timestamp in window and timeframe.close_of(candle.timestamp) <= closed_until:
            found[candle.timestamp] = candle
    good = [found[timestamp] for timestamp in sorted(found) if timestamp not in contradicted]
    return Candles(good, rejected)


def _candle(row: Any, timeframe: Timeframe, future: int) -> Candle:
    if not isinstance(row, list | tuple) or len(row) < _FIELDS:
        raise BadMarketData(f"row: expected {_FIELDS} numbers, found {shown(row)}")
    timestamp = row[0]
    if not isinstance(timestamp, int) or timestamp % timeframe.milliseconds:
        raise BadMarketData(
            f"timestamp: expected one on the {timeframe} grid, found {shown(timestamp)}"
        )
    if timestamp > future:
        raise BadMarketData(
            f"timestamp: expected none after the exchange's own time, found {shown(timestamp)}"
        )
    return Candle(timestamp, *row[1:_FIELDS])


def tickers_of(
    answer: Answer, symbols: Iterable[str], clock: MarketClock
) -> tuple[dict[str, Ticker], list[Rejected]]:
    """The tickers of those symbols, of the moment when they were asked for; and the impossible ones."""
    timestamp = clock.at(answer.sent_at)
    found, rejected = {}, []
    for symbol in symbols:
        told = answer.content.get(symbol)
        if not isinstance(told, dict):
            continue
        last: Any = told.get("last")
        try:
            found[symbol] = Ticker(
                timestamp, told.get("bid") or None, told.get("ask") or None, last
            )
        except BadMarketData as error:
            row = {key: shown(told.get(key)) for key in ("bid", "ask", "last")}
            rejected.append(Rejected({"symbol": symbol} | row, str(error)))
    return found, rejected


def markets_of(markets: Mapping[str, Mapping[str, Any]], precision_mode: int) -> Sequence[Market]:
    """The rules of each spot market's orders."""
    return [_market(symbol, market, precision_mode) for symbol, market in sorted(markets.items())]


def _market(symbol: str, market: Mapping[str, Any], precision_mode: int) -> Market:
    """A rule that no market can have counts as not told."""
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    return Market(
        symbol,
        amount_step=_step(precision.get("amount"), precision_mode),
        price_step=_step(precision.get("price"), precision_mode),
        min_amount=_decimal((limits.get("amount") or {}).get("min")),
        min_cost=_decimal((limits.get("cost") or {}).get("min")),
    )


def _step(precision: Any, mode: int) -> Decimal | None:
    """A step from ccxt's precision: the step itself, or a number of decimal places."""
    number = _decimal(precision, least=-_PLACES if mode == _DECIMAL_PLACES else 0)
    if number is not None and mode == _DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(number)) if number <= _PLACES else None
    return number or None


def _decimal(number: Any, *, least: int = 0) -> Decimal | None:
    try:
        found = Decimal(str(number)) if isinstance(number, str | int | float) else None
    except (InvalidOperation, ValueError):
        return None
    if found is None or not found.is_finite() or not least <= found <= _MOST_RULE:
        return None
    return found if not found or found.adjusted() >= -_PLACES else None
