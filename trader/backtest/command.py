"""`python -m trader backtest`: a strategy over the candles that are there."""

from __future__ import annotations

from contextlib import closing, nullcontext
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from common.database import path_of, url_from
from common.errors import ConfigurationError
from schema import open_database
from trader.backtest.account import Terms
from trader.backtest.candles import from_csv, from_database, iso, parse_time
from trader.backtest.metrics import Metrics
from trader.backtest.report import as_json, as_table, write_trades
from trader.backtest.result import Result
from trader.backtest.setup import configured, market_of, registered
from trader.backtest.signals import signals_of
from trader.backtest.simulation import simulate
from trader.core.rules import MarketRules

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from common.database import Database
    from trader.backtest.candles import Candles
    from trader.backtest.setup import Setup


def backtest(given: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Runs the backtest that was asked for; its result as text.

    Raises:
        ConfigurationError: the user has to change something.
    """
    slippage = _slippage(given.slippage)
    since, until = _time("--since", given.since), _time("--until", given.until)
    if since is not None and until is not None and since > until:
        raise ConfigurationError(
            f"--since: expected a time before --until, which is {iso(until)}, found {iso(since)}"
        )
    with _database(given, environment) as database:
        setup = _setup(given, environment, database)
        candles = _candles(given, setup, database, since, until)
        known = (MarketRules(), None) if database is None else market_of(database, setup.partition)
    market, price_step = known
    terms = Terms(
        setup.strategy_id,
        setup.partition.symbol,
        setup.starting_balance,
        setup.rules,
        market,
        price_step,
        slippage,
    )
    signals = signals_of(setup.strategy, candles, keep_indicators=given.html is not None)
    result = Result.of(terms, candles, simulate(terms, candles, signals))
    metrics = Metrics.of(result)
    if given.trades is not None:
        write_trades(result, Path(given.trades))
    if given.html is not None:
        # Only who wants a page pays for what makes one.
        from trader.backtest.page.page import as_page, write_page  # noqa: PLC0415

        write_page(as_page(setup, result, metrics, signals.indicators), Path(given.html))
    return (as_json if given.json else as_table)(setup, result, metrics)


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


def _time(key: str, text: str | None) -> int | None:
    try:
        return None if text is None else parse_time(text)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"{key}: {error}") from None


def _slippage(text: str) -> Decimal:
    try:
        slippage = Decimal(text)
    except InvalidOperation:
        slippage = Decimal("NaN")
    if slippage.is_finite() and 0 <= slippage < 1 and slippage == round(slippage, 18):
        return slippage
    raise ConfigurationError(
        f"--slippage: expected a ratio from 0 to below 1 such as 0.0005, found {text!r}"
    )
