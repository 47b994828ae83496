"""Composes a trader from its settings: a feed, a strategy, a broker and a journal; and runs it.

Nothing else asks which mode it is.
"""

from __future__ import annotations

import ctypes
import gc
import signal
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import structlog

from common import log
from common.errors import TransientError
from common.heartbeat import Heartbeat
from common.instance import Instance
from common.registry import Registration, Registry
from schema import open_database
from trader.brokers.paper import PaperBroker, PaperTerms
from trader.duty import Duty
from trader.engine import Engine, Progress
from trader.evaluation import Evaluation
from trader.feed import DatabaseFeed
from trader.ledger import Ledger
from trader.ledger.fleet import Fleet
from trader.loop import run, run_once
from trader.news import News
from trader.rule_settings import RuleSettings
from trader.settings import load_settings
from trader.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from common.database import Database
    from trader.roles import Broker
    from trader.settings import TraderSettings
    from trader.strategies.strategy import Strategy

_DAY_MS = 86_400_000


def trade(environment: Mapping[str, str], *, once: bool) -> int:
    """Runs the trader that the environment describes, until SIGTERM or SIGINT. Returns its exit status.

    Raises:
        ConfigurationError: the user has to change something.
    """
    settings, strategy = load_settings(environment)
    log.set_up(environment, strategy_id=settings.strategy_id)
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with closing(open_database(settings.database_url)) as database:
        feed = DatabaseFeed(database, settings.partition, settings.strategy_id)
        feed.market_rules()  # what cannot be traded is refused before anything is written
        instance = Instance(database.path.parent, settings.strategy_id, key="STRATEGY_ID")
        Registry(database).register(_registration(settings, strategy))
        with (
            _broker(settings, feed, database, environment, stop) as broker,
            closing(_Report(database, settings.strategy_id, environment)) as report,
        ):
            engine = _engine(settings, strategy, feed, database, broker)
            gc.collect()
            gc.freeze()  # what is loaded stays: to look through it for garbage would take 60 ms now and then
            _give_back_memory()
            if once:
                run_once(engine, report=report.tell, stop=stop)
            else:
                _run(engine, settings, database, report, stop)
        instance.release()
    return 0


def _give_back_memory() -> None:
    """Returns what loading has freed to the system, 3 MB: glibc would keep it, and another C library has its own ways."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def _run(
    engine: Engine,
    settings: TraderSettings,
    database: Database,
    report: _Report,
    stop: Stop,
) -> None:
    news = News(database, settings.partition, settings.strategy_id, lambda: engine.awaits_fill)
    with closing(news):
        run(engine, news=news.token, report=report.tell, failed=report.failed, stop=stop)


def _engine(
    settings: TraderSettings,
    strategy: Strategy,
    feed: DatabaseFeed,
    database: Database,
    broker: Broker,
) -> Engine:
    return Engine(
        strategy_id=settings.strategy_id,
        partition=settings.partition,
        rules=settings.rules,
        evaluation=Evaluation(strategy, settings.timeframe),
        feed=feed,
        broker=broker,
        journal=Ledger(
            database, settings.strategy_id, settings.starting_balance, settings.symbol_cap
        ),
        keep_holds_ms=settings.hold_retention_days * _DAY_MS,
    )


@contextmanager
def _broker(
    settings: TraderSettings,
    feed: DatabaseFeed,
    database: Database,
    environment: Mapping[str, str],
    stop: Stop,
) -> Iterator[Broker]:
    """The broker of the mode: the one place that asks for it."""
    if settings.mode == "paper":
        yield PaperBroker(
            feed,
            PaperTerms(
                settings.fee_rate,
                settings.slippage,
                settings.max_ticker_age_s,
                settings.max_signal_age_s,
                settings.order_timeout_s,
            ),
        )
        return
    from trader.brokers.live.broker import LiveBroker  # noqa: PLC0415 - ccxt, for live traders alone
    from trader.brokers.live.credentials import credentials  # noqa: PLC0415
    from trader.brokers.live.exchange_account import ExchangeAccount  # noqa: PLC0415

    keys = credentials(settings.exchange, environment)
    account = ExchangeAccount(settings.exchange, settings.symbol, keys, environment, stop=stop)
    with closing(account):
        yield LiveBroker(
            account,
            Fleet(database, settings.strategy_id, settings.exchange),
            base=settings.symbol.partition("/")[0],
            clock=feed.clock,
            order_timeout_s=settings.order_timeout_s,
            max_wait_s=settings.max_signal_age_s,
        )


def _registration(settings: TraderSettings, strategy: Strategy) -> Registration:
    return Registration(
        strategy_id=settings.strategy_id,
        partition=settings.partition,
        strategy_name=settings.strategy,
        config_file=str(settings.config_file),
        mode=settings.mode,
        parameters=settings.parameters.model_dump(mode="json"),
        warmup=strategy.warmup,
        starting_balance=settings.starting_balance,
        rules=settings.model_dump(mode="json", include=set(RuleSettings.model_fields)),
    )


class _Report:
    """Tells the database how the trader is doing: its heartbeat and its status."""

    def __init__(
        self, database: Database, strategy_id: str, environment: Mapping[str, str]
    ) -> None:
        self._registry = Registry(database)
        self._strategy_id = strategy_id
        self._heartbeat = Heartbeat(database, strategy_id, environment=environment)
        self._duty = Duty()
        self._problem = ""
        self._log = structlog.get_logger()
        self._told = Progress("")

    def tell(self, progress: Progress) -> None:
        """Beats; and says it once when something changes."""
        problem = self._duty.neglected(progress)
        if problem and problem != self._problem:
            self._log.error("stuck", detail=problem)
        self._problem = problem
        self._heartbeat.beat(
            "stuck" if problem else progress.state,
            problem or progress.detail,
            problem=problem,
            achieved=self._duty.achieved(progress),
        )
        if progress.state != self._told.state:
            self._registry.set_status(self._strategy_id, progress.state)
        if (progress.state, progress.detail) != (self._told.state, self._told.detail):
            self._log.info(progress.state, detail=progress.detail)
        self._told = progress

    def failed(self, why: str) -> None:
        """Says to the health check alone that a pass could not be made."""
        self._heartbeat.failed(why)

    def close(self) -> None:
        """Says that the trader has stopped, if it can be written: nothing else depends on it."""
        try:
            self.tell(Progress("stopped"))
        except TransientError as error:
            self._log.warning("database_busy", error=str(error))
