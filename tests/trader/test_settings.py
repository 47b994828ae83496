"""What a user can get wrong: one clear line that names the key, status 2, and the database as it was."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import schema
from common.engine import load_driver
from tests.trader.market import closes
from tests.trader.running import ROOT, environment, run_trader
from trader.__main__ import main
from trader.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOOD = (ROOT / "config/trader.yml").read_text(encoding="utf-8")
FILE = {"CONFIG_FILE": str(ROOT / "config/trader.yml")}


def content(url: str) -> list[object]:
    """All that the database holds: the file itself may be checkpointed by any reader.

    By the engine that the suite uses: two in one process do not see each other's locks.
    """
    with closing(load_driver().connect(url.removeprefix("sqlite:///"))) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        names = [name for name, sql in tables if (sql or "").startswith("CREATE TABLE")]
        return [tables, *(connection.execute(f"SELECT * FROM {name}").fetchall() for name in names)]


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """The line with which the program, started like this, ends at once and with status 2."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def refused(url: str, **variables: str) -> str:
        assert main([], environment(url, **variables)) == 2
        return only_line(*capsys.readouterr())

    yield refused
    for number, handler in handlers.items():
        signal.signal(number, handler)


def only_line(out: str, err: str) -> str:
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, lines
    return lines[0].removeprefix("trader: ")


WRONG = [
    ({"RSI_PERIOD": "0"}, "RSI_PERIOD: expected greater than or equal to 2, found '0'"),
    ({"RSI_PERIOD": "fourteen"}, "RSI_PERIOD: expected a valid integer"),
    (
        {"RSI_OVERSOLD": "80"},
        "parameters.overbought: expected a number above oversold (RSI_OVERSOLD), which is 80, found 70",
    ),
    (
        {"RSI_OVERSOLD": "70", "RSI_OVERBOUGHT": "70"},
        "RSI_OVERBOUGHT: expected a number above oversold (RSI_OVERSOLD), which is 70, found '70'",
    ),
    ({"RSI_OVERBOUGHT": "nan"}, "RSI_OVERBOUGHT: expected"),
    ({"RSI_TREND_PERIOD": "1"}, "RSI_TREND_PERIOD: expected greater than or equal to 2, found '1'"),
    ({"RSI_TREND_PERIOD": "many"}, "RSI_TREND_PERIOD: expected a valid integer"),
    ({"RSI_TRIGGER": "edge"}, "RSI_TRIGGER: expected 'level' or 'crossing', found 'edge'"),
    ({"TIMEFRAME": "7m"}, "TIMEFRAME: expected '1m', '5m', '15m', '1h', '4h' or '1d', found '7m'"),
    ({"SYMBOL": "BTCUSDT"}, "SYMBOL: expected BASE/QUOTE such as BTC/USDT, found 'BTCUSDT'"),
    ({"EXCHANGE": "Binance!"}, "EXCHANGE: expected a ccxt exchange id"),
    (
        {"STAKE_AMOUNT": "101", "STARTING_BALANCE": "100"},
        "STAKE_AMOUNT: expected at most the starting balance (STARTING_BALANCE), which is 100, found '101'",
    ),
    ({"STAKE_AMOUNT": "0"}, "STAKE_AMOUNT: expected greater than 0, found '0'"),
    ({"STARTING_BALANCE": "NaN"}, "STARTING_BALANCE: expected a finite number, found 'NaN'"),
    ({"FEE_RATE": "1"}, "FEE_RATE: expected less than 1, found '1'"),
    ({"FEE_RATE": "-0.001"}, "FEE_RATE: expected greater than or equal to 0, found '-0.001'"),
    ({"STOP_LOSS": "1.5"}, "STOP_LOSS: expected less than 1, found '1.5'"),
    ({"TAKE_PROFIT": "0"}, "TAKE_PROFIT: expected greater than 0, found '0'"),
    ({"MAX_SIGNAL_AGE_S": "0"}, "MAX_SIGNAL_AGE_S: expected greater than 0, found '0'"),
    ({"STRATEGY_ID": "a b"}, "STRATEGY_ID: expected 1 to 64 of the characters A-Z a-z 0-9 . _ -"),
    ({"STRATEGY_ID": "x" * 65}, "STRATEGY_ID: expected 1 to 64 of the characters"),
    ({"STRATEGY_ID": "backfiller"}, "STRATEGY_ID: expected"),
    ({"STRATEGY": "macd"}, "STRATEGY: expected rsi, or module:Class from config/strategies"),
    ({"STRATEGY": "mine:Mine"}, "STRATEGY: expected a file config/strategies/mine.py, found none"),
    (
        {"MODE": "live"},
        "live_confirm: expected the STRATEGY_ID, trader-btc-binance-1h, since MODE is live (LIVE_CONFIRM), found ''",
    ),
    (
        {"MODE": "live", "EXCHANGE": "okx", "LIVE_CONFIRM": "trader-btc-okx-1h"},
        "LIVE_CONFIRM: expected no MODE=live at okx: orders are placed at binance, coinbase, kraken only, "
        "found 'trader-btc-okx-1h'",
    ),
    ({"MODE": "Paper"}, "MODE: expected 'paper' or 'live', found 'Paper'"),
    (
        {"STAKE_SHARE": "0.5"},
        "STAKE_SHARE: expected none, since stake_amount (STAKE_AMOUNT) is 1000; set that to none for a "
        "share, found '0.5'",
    ),
    (
        {"STAKE_AMOUNT": "none"},
        "stake_share: expected a share of the equity, since there is no stake_amount (STAKE_AMOUNT), found None",
    ),
    ({"SYMBOL_CAP": "10"}, "SYMBOL_CAP: expected at least the stake (STAKE_AMOUNT), which is 1000"),
    ({"TRAILING_STOP": "1"}, "TRAILING_STOP: expected less than 1, found '1'"),
    ({"MAX_HOLDING": "-1"}, "MAX_HOLDING: expected greater than or equal to 0, found '-1'"),
    ({"COOLDOWN": "a while"}, "COOLDOWN: expected a valid integer"),
    ({"DAILY_LOSS": "5"}, "DAILY_LOSS: expected less than 1, found '5'"),
    ({"ORDER_TYPE": "stop"}, "ORDER_TYPE: expected 'market' or 'limit', found 'stop'"),
    (
        {"HOLD_RETENTION_DAYS": "0"},
        "HOLD_RETENTION_DAYS: expected greater than or equal to 1, found '0'",
    ),
    ({"MODE": "dry"}, "MODE: expected 'paper' or 'live', found 'dry'"),
    ({"RSI_PERID": "14"}, "RSI_PERID: unknown environment variable; did you mean 'RSI_PERIOD'?"),
    (
        {"CONFIG_FILE": "no/such.yml"},
        "CONFIG_FILE: expected a file that can be read, found no/such.yml",
    ),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: expected one of debug, info, warning, error, found 'loud'"),
    (
        {"DATABASE_URL": "mysql://x/y"},
        "DATABASE_URL: expected sqlite:///PATH, found a URL of 'mysql'",
    ),
    (
        {"DATABASE_URL": "sqlite:////no/such/trading.db"},
        "DATABASE_URL: expected a database made by",
    ),
    ({"SYMBOL": "DOGE/USDT"}, "SYMBOL: expected a market of binance, found DOGE/USDT"),
    ({"TIMEFRAME": "4h"}, "TIMEFRAME: expected one that binance offers (1h, 15m), found 4h"),
]


@pytest.mark.parametrize(
    ("variables", "line"),
    WRONG,
    ids=[next(iter(v)) + " " + next(iter(v.values()))[:12] for v, _ in WRONG],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_key(
    refusal, market, database_url, variables, line
):
    before = content(database_url)
    assert refusal(database_url, **variables).startswith((line, f"config/trader.yml: {line}"))
    assert content(database_url) == before
    assert not (Path(market.database.path).parent / "locks").exists()


@pytest.mark.parametrize("variables", [{"RSI_PERIOD": "0"}, {"SYMBOL": "DOGE/USDT"}])
def test_the_process_ends_with_status_2_and_no_traceback(market, database_url, variables):
    done = run_trader(database_url, **variables)
    assert done.returncode == 2
    assert only_line(done.stdout, done.stderr).startswith(next(iter(variables)))


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        (GOOD + "\nstop_los: 0.1\n", "stop_los: unknown key; did you mean 'stop_loss'?"),
        (
            GOOD.replace("period: 14", "perod: 14"),
            "parameters.perod: unknown key; did you mean 'period'?",
        ),
        (
            GOOD.replace("period: 14", "period: 0"),
            "parameters.period: expected greater than or equal to 2, found 0",
        ),
        (GOOD + "\nmode: paper\n", "expected YAML, found: the key 'mode' a second time"),
        ("exchange: [", "expected YAML, found: while parsing"),
        ("- exchange", "expected keys with values, found ['exchange']"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name_and_the_key(
    refusal, database_url, tmp_path, yaml, line
):
    file = tmp_path / "trader.yml"
    file.write_text(yaml)
    assert refusal(database_url, CONFIG_FILE=str(file)).startswith(f"{file}: {line}")


def test_a_key_that_the_file_leaves_out_is_asked_for(refusal, database_url, tmp_path):
    file = tmp_path / "trader.yml"
    file.write_text(GOOD.replace("symbol: BTC/USDT", ""))
    assert (
        refusal(database_url, CONFIG_FILE=str(file))
        == f"{file}: symbol: expected a value, found none"
    )


def test_a_newer_database_is_refused_and_stays_as_it_is(refusal, market, database_url):
    market.close()
    path = database_url.removeprefix("sqlite:///")
    with closing(load_driver().connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = content(database_url)
    expected = f"expected a database of version {schema.REVISION}, found version 9999"
    assert expected in refusal(database_url)
    assert content(database_url) == before


def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(refusal, tmp_path):
    path = tmp_path / "trading.db"
    path.write_bytes(b"not a database, but a letter\n" * 100)
    line = refusal(f"sqlite:///{path}")
    assert line.startswith("DATABASE_URL: expected a SQLite database that can be written, found")
    assert path.read_bytes() == b"not a database, but a letter\n" * 100


def test_books_that_were_kept_in_another_market_are_not_taken_over(
    refusal, capsys, market, database_url
):
    market.add(*closes(281))
    assert main(["--once"], environment(database_url, STRATEGY_ID="mine")) == 0
    capsys.readouterr()
    before = content(database_url)
    line = refusal(database_url, STRATEGY_ID="mine", TIMEFRAME="15m")
    assert line.startswith(
        "TIMEFRAME: expected 1h, with which strategy_id 'mine' keeps its books, found 15m"
    )
    assert content(database_url) == before


def test_the_strategy_id_is_derived_from_the_market():
    settings, _ = load_settings(
        FILE | {"SYMBOL": "ETH/USD", "EXCHANGE": "kraken", "TIMEFRAME": "15m"}
    )
    assert settings.strategy_id == "trader-eth-kraken-15m"


def test_the_environment_comes_before_the_file_and_none_switches_off():
    settings, strategy = load_settings(
        FILE | {"STOP_LOSS": "none", "TAKE_PROFIT": "0.2", "RSI_PERIOD": "7"}
    )
    assert (settings.stop_loss, str(settings.take_profit)) == (None, "0.2")
    assert strategy.warmup == 141


@pytest.mark.parametrize("text", ["class Mine:\n    pass\n", "1 / 0\n", "class ("])
def test_a_file_that_holds_no_strategy_is_refused(refusal, tmp_path, text):
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies/mine.py").write_text(text)
    file = tmp_path / "trader.yml"
    file.write_text(GOOD.replace("strategy: rsi", "strategy: mine:Mine"))
    line = refusal("sqlite:///x.db", CONFIG_FILE=str(file))
    assert line.startswith("STRATEGY: expected ")
    assert "mine.py" in line
