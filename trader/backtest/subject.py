"""What a command over past candles is about: a strategy and the candles, as the command line names them."""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.database import path_of, url_from
from common.times import span_of
from schema import open_database
from trader.backtest.candles import from_csv, from_database
from trader.backtest.setup import configured, market_of, registered
from trader.core.rules import MarketRules

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from common.database import Database
    from trader.backtest.candles import Candles
    from trader.backtest.setup import Setup


@dataclass(frozen=True, slots=True)
class Subject:
    """A strategy with its candles, and what is known of the market."""

    setup: Setup
    candles: Candles
    market: MarketRules


def subject_of(given: argparse.Namespace, environment: Mapping[str, str]) -> Subject:
    """What `--strategy-id`, `--csv`, `--since` and `--until` name.

    Raises:
        ConfigurationError: the user has to change something.
    """
    since, until = span_of(given.since, given.until)
    with _database(given, environment) as database:
        setup = _setup(given, environment, database)
        candles = _candles(given, setup, database, since, until)
        market = MarketRules() if database is None else market_of(database, setup.partition)
        return Subject(setup, candles, market)


def _database(
    given: argparse.Namespace, environment: Mapping[str, str]
) -> AbstractContextManager[Database | None]:
    """The database; None where candles and strategy come from files, and there is none."""
    url = url_from(environment)
    if given.csv is not None and given.strategy_id is None and not path_of(url).exists():
        return nullcontext()
    return closing(open_database(url))


def _setup(
    given: argparse.Namespace, environment: Mapping[str, str], database: Database | None
) -> Setup:
    if given.strategy_id is None:
        return configured(environment)
    assert database is not None
    return registered(database, given.strategy_id)


def _candles(
    given: argparse.Namespace,
    setup: Setup,
    database: Database | None,
    since: int | None,
    until: int | None,
) -> Candles:
    warmup = setup.strategy.warmup
    if given.csv is not None:
        return from_csv(Path(given.csv), setup.partition.timeframe, warmup, since, until)
    assert database is not None
    return from_database(database, setup.partition, warmup, since, until)
