"""Environment variables of any content: a daemon says which one is wrong, or runs."""

from __future__ import annotations

import base64
import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backfiller.settings
from backfiller.source import Source
from common import log
from common.errors import ConfigurationError
from tests.backfiller_files import samples
from tests.fuzz import strange
from tests.fuzz.lawful import require_lawful, require_short, run
from tests.fuzz.profile import count, examples
from trader.__main__ import main as trader
from trader.brokers.live.credentials import credentials
from trader.brokers.live.exchange_account import ExchangeAccount
from trader.settings import VARIABLES
from trader.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
_PARAMETERS = ("PERIOD", "OVERSOLD", "OVERBOUGHT", "TRIGGER", "TREND_PERIOD")
_TRADER = (
    *VARIABLES,
    *(f"{prefix}_{name}" for prefix in ("RSI", "PARAMETER") for name in _PARAMETERS),
    "PARAMETER_X",
    "RSI_PERIODS",
    "LOG_LEVEL",
    "LOG_FORMAT",
)
_BACKFILLER = (
    "BACKFILLER_CONFIG",
    "CLOCK_SPEED",
    "TICKER_INTERVAL_S",
    "TICKER_INTERVALS",
    "LOG_LEVEL",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("environment")
    samples.write_csv(path / "candles.csv", samples.candles(300))
    return path


@pytest.fixture(autouse=True)
def _elsewhere(folder, monkeypatch) -> Iterator[None]:
    """A relative path leads nowhere near the project; the handlers of signals stay as they were."""
    monkeypatch.chdir(folder)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _some(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(names), strange.words, min_size=1, max_size=4)


def _surely(given_: dict[str, str], **known: str) -> dict[str, str]:
    return {**known, **given_}


_NEVER = Stop()


@examples(300)
@given(strangely=_some(_TRADER))
def test_a_trader_backtests_with_any_environment_or_names_the_variable(folder, strangely):
    count("environment of a trader")
    environment = _surely(
        strangely,
        CONFIG_FILE=str(ROOT / "config/trader.yml"),
        DATABASE_URL=f"sqlite:///{folder}/none.db",
    )
    words = ["backtest", "--csv", str(folder / "candles.csv")]
    require_lawful(run(lambda: trader(words, environment), environment))


@examples(60)
@given(strangely=_some(_TRADER))
def test_a_trader_starts_with_any_environment_or_names_the_variable(
    folder, database_url, strangely
):
    count("environment of a trader that starts")
    environment = _surely(
        {key: value for key, value in strangely.items() if key not in {"MODE", "LIVE_CONFIRM"}},
        CONFIG_FILE=str(ROOT / "config/trader.yml"),
        DATABASE_URL=database_url,
    )
    require_lawful(run(lambda: trader(["--once"], environment), environment))


@examples(150)
@given(strangely=_some(_BACKFILLER), url=strange.words)
def test_the_backfiller_takes_any_environment_or_names_the_variable(strangely, url):
    count("environment of the backfiller")
    environment = _surely(strangely, BACKFILLER_CONFIG=str(ROOT / "config/backfiller.yml"))
    environment["BINANCE_API_URL"] = url
    try:
        settings = backfiller.settings.load_settings(environment)
        log.set_up(environment)
        Source(
            "binance",
            timeout_s=settings.request_timeout_s,
            speed=settings.clock_speed,
            environment=environment,
        )
    except ConfigurationError as error:
        require_short(error)


@examples(150)
@given(
    exchange=st.sampled_from(("binance", "coinbase", "kraken")),
    key=strange.words,
    secret=st.one_of(
        strange.words,
        st.binary(max_size=70).map(lambda some: base64.b64encode(some).decode()),
        st.sampled_from(
            ("-----BEGIN EC PRIVATE KEY-----\\nAAAA\\n-----END EC PRIVATE KEY-----", "\\n")
        ),
    ),
    content=st.one_of(st.none(), st.binary(max_size=80)),
)
def test_any_keys_open_an_account_or_are_refused_without_being_shown(
    folder, exchange, key, secret, content
):
    count("keys")
    environment = {f"{exchange.upper()}_API_KEY": key, f"{exchange.upper()}_API_SECRET": secret}
    if content is not None:
        (folder / "secret").write_bytes(content)
        del environment[f"{exchange.upper()}_API_SECRET"]
        environment[f"{exchange.upper()}_API_SECRET_FILE"] = str(folder / "secret")
    symbol = "BTC/USDT" if exchange == "binance" else "BTC/USD"
    try:
        given_ = credentials(exchange, environment)
        with closing(ExchangeAccount(exchange, symbol, given_, environment, stop=_NEVER)):
            pass
    except ConfigurationError as error:
        require_short(error)
        _require_unseen(secret, error)


def _require_unseen(secret: str, error: ConfigurationError) -> None:
    assert len(secret) < 12 or secret not in str(error)
