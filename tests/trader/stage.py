"""An engine in this process, on a real database, at times that the test chooses."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from common.clock import MarketClock
from common.registry import Registration, Registry
from trader.brokers.paper import PaperBroker, PaperTerms
from trader.core.rules import Rules
from trader.engine import Engine
from trader.evaluation import Evaluation
from trader.feed import DatabaseFeed
from trader.ledger import Ledger
from trader.strategies.rsi import Rsi, RsiParameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.trader.market import TestMarket
    from trader.roles import Journal

ID = "a"
BALANCE = Decimal(1000)
FEE = Decimal("0.001")
STRATEGY = Rsi(RsiParameters(period=2))  # 41 candles to warm up
RULES = Rules(
    stake=Decimal(300), fee_rate=FEE, stop_loss=Decimal("0.03"), take_profit=Decimal("0.03")
)


@dataclass(frozen=True, slots=True)
class StillClock(MarketClock):
    """A clock that stands still until the market sets it."""

    def now(self) -> int:
        return self.exchange_time


class StillFeed(DatabaseFeed):
    """The real feed, but for how its clock runs."""

    def clock(self) -> MarketClock | None:
        clock = super().clock()
        return clock and StillClock(clock.exchange_time, clock.wall_time)


def register(market: TestMarket) -> None:
    Registry(market.database).register(
        Registration(ID, market.partition, "rsi", None, "paper", {}, STRATEGY.warmup, BALANCE)
    )


def engine_on(
    market: TestMarket,
    *,
    rules: Rules = RULES,
    written_by: Callable[[Ledger], Journal] = lambda ledger: ledger,
    broker: type[PaperBroker] = PaperBroker,
) -> Engine:
    """A trader's engine as it is after a start."""
    feed = StillFeed(market.database, market.partition, ID)
    return Engine(
        strategy_id=ID,
        partition=market.partition,
        rules=rules,
        evaluation=Evaluation(STRATEGY, market.partition.timeframe),
        feed=feed,
        broker=broker(feed, PaperTerms(FEE)),
        journal=written_by(Ledger(market.database, ID, BALANCE)),
    )


def advance(engine: Engine) -> Any:
    """Advances an engine as far as it goes; its last progress."""
    while (progress := engine.advance()).more:
        pass
    return progress
