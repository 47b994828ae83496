"""The feed of a trader: its partition in the shared database, which the backfiller fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.clock import KeptClock
from common.controls import Control, Controls
from common.errors import ConfigurationError
from common.exchange_status import Exchanges
from common.market_data import MarketData
from trader.core.money import highest_up_to, lowest_from
from trader.core.rules import SMALLEST_AMOUNT, MarketRules

if TYPE_CHECKING:
    from decimal import Decimal

    from common.candle import Ticker
    from common.clock import MarketClock
    from common.database import Database
    from common.partition import Partition
    from trader.roles import Row


class DatabaseFeed:
    """One partition of the shared database: see `roles.Feed`."""

    def __init__(self, database: Database, partition: Partition, strategy_id: str) -> None:
        self._partition = partition
        self._strategy_id = strategy_id
        self._market_data = MarketData(database)
        self._exchanges = Exchanges(database)
        self._controls = Controls(database)
        self._kept_clock = KeptClock()

    def newest_candle(self) -> int | None:
        """See `roles.Feed`."""
        return self._market_data.newest_candle(self._partition)

    def candles(self, *, limit: int, until: int) -> list[Row]:
        """See `roles.Feed`."""
        return self._market_data.candles(self._partition, limit=limit, until=until)

    def opened_since(self, start: int, end: int) -> list[int]:
        """See `roles.Feed`."""
        return self._market_data.timestamps(self._partition, start, end)

    def count(self, *, limit: int) -> int:
        """See `roles.Feed`."""
        return len(self._market_data.candles(self._partition, limit=limit))

    def newest_ticker(self) -> Ticker | None:
        """See `roles.Feed`."""
        return self._market_data.newest_ticker(self._partition.exchange, self._partition.symbol)

    def first_ticker(
        self, since: int, *, buy_at: Decimal | None = None, sell_at: Decimal | None = None
    ) -> Ticker | None:
        """The first prices at or after `since`, in the exchange's time, at which a limit order would trade."""
        return self._market_data.first_ticker(
            self._partition.exchange,
            self._partition.symbol,
            since=since,
            ask_up_to=None if buy_at is None else highest_up_to(buy_at),
            bid_from=None if sell_at is None else lowest_from(sell_at),
        )

    def highest_between(self, since: int, until: int) -> float | None:
        """See `roles.Feed`."""
        return self._market_data.highest_between(self._partition, since, until)

    def clock(self) -> MarketClock | None:
        """See `roles.Feed`."""
        told = self._exchanges.clock(self._partition.exchange)
        return None if told is None else self._kept_clock.hear(told)

    def market_rules(self) -> MarketRules | None:
        """See `roles.Feed`."""
        exchange, symbol = self._partition.exchange, self._partition.symbol
        timeframes = self._exchanges.timeframes(exchange)
        if not timeframes:
            return None
        market = self._exchanges.market(exchange, symbol)
        if market is None:
            raise ConfigurationError(f"SYMBOL: expected a market of {exchange}, found {symbol}")
        if self._partition.timeframe.value not in timeframes:
            raise ConfigurationError(
                f"TIMEFRAME: expected one that {exchange} offers ({', '.join(timeframes)}), "
                f"found {self._partition.timeframe}"
            )
        step = market.amount_step or SMALLEST_AMOUNT
        return MarketRules(step, market.min_amount, market.min_cost, market.price_step or None)

    def control(self, now: int) -> Control:
        """See `roles.Feed`."""
        return self._controls.of(self._strategy_id, now)
