"""`python -m trader backtest`: a strategy over the candles that are there."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from trader.backtest.account import Terms
from trader.backtest.metrics import Metrics
from trader.backtest.report import as_json, as_table, write_trades
from trader.backtest.result import Result
from trader.backtest.signals import signals_of
from trader.backtest.simulation import simulate
from trader.backtest.subject import subject_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


def backtest(given: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Runs the backtest that was asked for; its result as text.

    Raises:
        ConfigurationError: the user has to change something.
    """
    slippage = _slippage(given.slippage)
    subject = subject_of(given, environment)
    setup, candles = subject.setup, subject.candles
    terms = Terms(
        setup.strategy_id,
        setup.partition.symbol,
        setup.settings.starting_balance,
        setup.settings.rules,
        subject.market,
        setup.settings.slippage if slippage is None else slippage,
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


def _slippage(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        slippage = Decimal(text)
    except InvalidOperation:
        slippage = Decimal("NaN")
    if slippage.is_finite() and 0 <= slippage < 1 and slippage == round(slippage, 18):
        return slippage
    raise ConfigurationError(
        f"--slippage: expected a ratio from 0 to below 1 such as 0.0005, found {text!r}"
    )
