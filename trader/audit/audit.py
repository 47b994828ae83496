"""The audit of one strategy: reads what was written and the candles, and has each comparison made."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.exchange_status import Exchanges
from common.market_data import MarketData
from common.registry import Registry
from common.revisions import revisions_of
from trader.audit.configuration import Configurations
from trader.audit.course import Course, Evaluated
from trader.audit.decisions import Decisions
from trader.audit.difference import Kind
from trader.audit.equity import Equity, told_once
from trader.audit.exits import Exits
from trader.audit.fills import compare_fills
from trader.audit.positions import compare_positions
from trader.audit.prices import Prices
from trader.audit.rebuilding import Rebuilding
from trader.audit.signals import compare_signals
from trader.backtest.candles import stored
from trader.backtest.setup import market_of
from trader.core.books import Books
from trader.core.equity import Marks
from trader.ledger.written import Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from common.database import Database
    from trader.audit.difference import Difference
    from trader.backtest.candles import Candles
    from trader.backtest.setup import Setup
    from trader.core.position import Position
    from trader.ledger.written import PositionRow, Records

_MONTH_MS = 31 * 86_400_000


@dataclass(frozen=True, slots=True)
class Audit:
    """What was compared, and what differs, oldest first.

    `configured_anew` is when the configuration was changed, by this machine's clock.
    """

    setup: Setup
    since: int | None
    until: int | None
    compared: Counter[Kind]
    differences: list[Difference]
    configured_anew: Sequence[int]

    @property
    def unexplained(self) -> list[Difference]:
        """Those without a known cause."""
        return [difference for difference in self.differences if difference.cause is None]


def audit(database: Database, strategy_id: str, since: int | None, until: int | None) -> Audit:
    """Compares what a strategy wrote with a replay, of the candles that opened from `since` to `until`.

    Raises:
        ConfigurationError: it is not registered, cannot be made again, or an archive cannot be read.
    """
    records = Written(database, strategy_id).records(since, until)
    configurations = Configurations.of(database, strategy_id, records.written_since)
    span = (since or 0, sys.maxsize if until is None else until)
    auditor = _Auditor(database, configurations, records)
    differences = [one for one in auditor.differences() if span[0] <= one.timestamp <= span[1]]
    differences += auditor.of_positions(span)
    return Audit(
        configurations.latest,
        since,
        until,
        _counted(records, span),
        sorted(differences, key=lambda one: one.timestamp),
        configurations.ends,
    )


class _Auditor:
    """All comparisons of one strategy's records."""

    def __init__(
        self, database: Database, configurations: Configurations, records: Records
    ) -> None:
        self._database = database
        self._configurations = configurations
        self._records = records
        self._setup = configurations.latest
        self._partition = self._setup.partition
        self._balance = self._setup.settings.starting_balance
        self._candles = self._stored()
        self._market = market_of(database, self._partition)
        self._rebuilding = Rebuilding(
            records, self._balance, self._market, at_once=self._is_paper()
        )

    def differences(self) -> Iterator[Difference]:
        """Of all but the positions, in no order."""
        records, configurations = self._records, self._configurations
        market, rebuilding = self._market, self._rebuilding
        data = MarketData(self._database)
        slippage = max(setup.settings.slippage for setup in configurations.setups)
        prices = Prices(self._candles, data, self._partition, slippage)
        revisions = revisions_of(self._database, self._partition)
        yield from compare_signals(records, self._candles, configurations, revisions)
        yield from rebuilding.differences
        yield from compare_fills(records, configurations, prices, is_paper=self._is_paper())
        yield from Exits(configurations, market, prices).compare(rebuilding.changes)
        decisions = Decisions(
            configurations,
            market,
            rebuilding.changes,
            newest=data.newest_candle(self._partition) or 0,
            is_real_time=self._is_real_time(),
        )
        yield from self._along_the_course(decisions)

    def of_positions(self, span: tuple[int, int]) -> Iterator[Difference]:
        """Of the positions that were open at some time of a span."""
        yield from compare_positions(
            [row for row in self._records.positions if _was_open(row, span)],
            [position for position in self._rebuilding.positions if _was_open(position, span)],
        )

    def _along_the_course(self, decisions: Decisions) -> Iterator[Difference]:
        evaluated = list(self._evaluated())
        kept_since = self._records.kept_since
        equity = Equity(self._configurations, sys.maxsize if kept_since is None else kept_since)

        def compare(one: Evaluated, books: Books) -> list[Difference]:
            return [*decisions.compare(one, books), *equity.compare(one, books)]

        course = Course(evaluated, self._rebuilding.changes, Books(self._balance))
        yield from told_once(course.compared(compare))
        times = {row.timestamp for row in self._records.signals}
        yield from decisions.without_signal(times)

    def _evaluated(self) -> Iterator[Evaluated]:
        """The candles that have a signal or an equity, with the equity before where that is known."""
        records, timeframe = self._records, self._partition.timeframe
        rows = {row.timestamp: row for row in records.signals}
        closes = dict(
            zip(self._candles.timestamp.tolist(), self._candles.close.tolist(), strict=True)
        )
        before = records.before
        if records.is_first:
            before = Marks.first(self._balance)
        kept_since = sys.maxsize if records.kept_since is None else records.kept_since
        is_next = records.is_first or (
            records.signals and kept_since < records.signals[0].timestamp
        )
        for timestamp in sorted(rows.keys() | records.marks.keys()):
            row, marks = rows.get(timestamp), records.marks.get(timestamp)
            close = closes.get(timestamp) if row is None else row.price
            if close is not None:
                closed_at, known = timeframe.close_of(timestamp), before if is_next else None
                yield Evaluated(timestamp, closed_at, close, row, marks, known)
            before, is_next = marks, timestamp >= kept_since

    def _stored(self) -> Candles:
        """The candles of all that was written, with what warms up before them."""
        times = [row.timestamp for row in self._records.signals]
        times += self._records.marks
        if not times:
            return stored(self._database, self._partition, 0, -1)
        warmup = max(setup.strategy.warmup for setup in self._configurations.setups)
        # More than a window, so that a hole at its begin is not taken for the begin of all candles.
        margin = max(2 * warmup * self._partition.timeframe.milliseconds, _MONTH_MS)
        return stored(self._database, self._partition, max(0, min(times) - margin), max(times))

    def _is_paper(self) -> bool:
        found = Registry(self._database).find(self._setup.strategy_id)
        return found is not None and found.mode == "paper"

    def _is_real_time(self) -> bool:
        clock = Exchanges(self._database).clock(self._partition.exchange)
        return clock is not None and clock.speed == 1.0


def _counted(records: Records, span: tuple[int, int]) -> Counter[Kind]:
    first, last = span
    return Counter(
        {
            Kind.SIGNAL: len(records.signals),
            Kind.DECISION: len(records.signals),
            Kind.ORDER: sum(first <= row.decided_at <= last for row in records.orders),
            Kind.TRADE: sum(first <= row.timestamp <= last for row in records.trades),
            Kind.POSITION: sum(_was_open(row, span) for row in records.positions),
            Kind.EQUITY: len(records.marks),
        }
    )


def _was_open(position: Position | PositionRow, span: tuple[int, int]) -> bool:
    first, last = span
    is_over = position.closed_at is not None and position.closed_at < first
    return position.opened_at <= last and not is_over
