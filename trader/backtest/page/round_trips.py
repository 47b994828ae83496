"""The round trips of a backtest, each from its first buy to its last sell, and their table."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from common.times import utc
from trader.backtest.page.panes import money_decimals, price_decimals
from trader.backtest.page.tables import columns, scrolling, signed
from trader.backtest.report import duration
from trader.core.money import ZERO, exactly, plain, quotient
from trader.core.order import Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from trader.backtest.account import Fill
    from trader.backtest.result import Result
    from trader.core.position import Position

MOST = 500  # rows: more are looked at with a spreadsheet


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A position from open to closed, or to the end of the backtest, and its fills."""

    position: Position
    buys: Sequence[Fill]
    sells: Sequence[Fill]

    @property
    def amount(self) -> Decimal:
        """What was bought, in base currency."""
        return _sum(fill.trade.amount for fill in self.buys)

    @property
    def cost(self) -> Decimal:
        """What the buys cost without their fees, in quote currency."""
        return _sum(fill.trade.cost for fill in self.buys)


@dataclass(frozen=True, slots=True)
class _Decimals:
    """How exact a column is told: the same in each row, so that its numbers stand under each other."""

    amount: int
    price: int
    money: int

    @classmethod
    def of(cls, result: Result) -> _Decimals:
        exponent = result.terms.market.amount_step.normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        return cls(max(0, -exponent), price_decimals(result), money_decimals(result))


def round_trips(result: Result) -> list[RoundTrip]:
    """All of them, oldest first."""
    fills: dict[int, list[Fill]] = {}
    opened_at = 0
    for fill in result.fills:
        if fill.books.position is not None:  # else it closed the one that the fill before it left
            opened_at = fill.books.position.opened_at
        fills.setdefault(opened_at, []).append(fill)
    return [
        RoundTrip(
            position, *(_of(side, fills[position.opened_at]) for side in (Side.BUY, Side.SELL))
        )
        for position in (*result.closed, *([] if result.open is None else [result.open]))
    ]


def table(result: Result) -> str:
    """The newest of them, newest first; what is left out is told."""
    found = round_trips(result)
    quote = result.terms.symbol.partition("/")[2]
    heads = (
        "Entry (UTC)", "Exit (UTC)", "Held", "Amount", "Entry price", "Exit price", f"Profit ({quote})", "Profit / cost",
        "Entry reason", "Exit reason",
    )  # fmt: skip
    caption = f"Round trips, newest first: {min(MOST, len(found)):,} of {len(found):,}"
    if len(found) > MOST:
        caption += f". The {len(found) - MOST:,} older ones are not shown; --trades FILE writes every trade"
    exact = _Decimals.of(result)
    rows = (_row(trip, result, exact) for trip in found[: -MOST - 1 : -1])
    return scrolling("Round trips", columns(caption, "round-trips", heads, rows))


def _row(trip: RoundTrip, result: Result, exact: _Decimals) -> Iterator[str]:
    entry, exit_ = trip.position.opened_at, trip.position.closed_at
    places = f'data-from="{_slot(entry, result)}"'
    if exit_ is None:
        held = "<td>open</td><td></td>"
    else:
        places += f' data-to="{_slot(exit_, result)}"'
        held = f"<td>{utc(exit_)}</td><td>{duration((exit_ - entry) / 1000)}</td>"
    yield f'<th scope="row"><a href="#charts" {places}>{utc(entry)}</a></th>{held}'
    yield f"<td>{trip.amount:,.{exact.amount}f}</td>"
    for fills in (trip.buys, trip.sells):
        yield f"<td>{_average(fills):,.{exact.price}f}</td>" if fills else "<td></td>"
    if trip.sells:
        profit = trip.position.realised_profit
        way = "up" if profit > 0 else "down" if profit < 0 else "still"
        ratio = float(profit) / float(trip.cost)
        yield f'<td class="{way}">{signed(profit, exact.money)}</td>'
        yield f'<td class="{way}">{signed(100 * ratio)} %</td>'
    else:
        yield "<td></td><td></td>"
    left = trip.position.exit_reason or ""
    yield f"<td>{escape(trip.buys[0].order.reason)}</td><td>{escape(left)}</td>"


def _of(side: Side, fills: Sequence[Fill]) -> list[Fill]:
    return [fill for fill in fills if fill.trade.side is side]


def _average(fills: Sequence[Fill]) -> Decimal:
    """The price that fills come to."""
    if len(fills) == 1:
        return fills[0].trade.price
    return quotient(_sum(f.trade.cost for f in fills), _sum(f.trade.amount for f in fills))


def _slot(timestamp: int, result: Result) -> int:
    """The candle of a time, counted as the charts do."""
    candles = result.candles
    start = int(candles.timestamp[candles.first])
    return (timestamp - start) // candles.timeframe.milliseconds


def _sum(amounts: Iterator[Decimal]) -> Decimal:
    with exactly():
        return plain(sum(amounts, ZERO))
