"""`python -m trader backtest`: a strategy over the candles that are there."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from trader.backtest.account import Terms
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
    account = simulate(terms, candles, signals_of(setup.strategy, candles))
    result = Result.of(terms, candles, account)
    if given.trades is not None:
        write_trades(result, Path(given.trades))
    return as_json(setup, result) if given.json else as_table(setup, result)


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
