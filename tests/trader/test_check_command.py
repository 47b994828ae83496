"""`python -m trader check-strategy`: what it prints, its exit status, and its user's mistakes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from common.registry import Registration, Registry
from tests.trader.market import NOON, candle, closes
from tests.trader.running import ROOT, environment, run_trader
from trader.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000
FAST = {"RSI_PERIOD": "2"}  # 41 candles to warm up
GOOD = (ROOT / "config/trader.yml").read_text(encoding="utf-8")
PEEKING = """
import pandas as pd

class Peeking:
    warmup = 2

    def evaluate(self, candles):
        tomorrow = candles["close"].shift(-1)
        return pd.DataFrame({"signal": "hold", "reason": "waiting", "tomorrow": tomorrow})
"""


@pytest.fixture
def call(market, database_url, capsys, monkeypatch):
    """Runs the command on 600 stored candles: its status, what it printed, and its complaint."""
    monkeypatch.chdir(ROOT)
    market.add(*closes(600))

    def run(*arguments: str, url: str = database_url, **variables: str) -> tuple[int, str, str]:
        status = main(["check-strategy", *arguments], environment(url, **FAST, **variables))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def peeking(tmp_path) -> str:
    """A configuration whose strategy looks ahead."""
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies/peeking.py").write_text(PEEKING)
    start, end = GOOD.index("strategy: rsi"), GOOD.index("# In quote")
    file: Path = tmp_path / "trader.yml"
    file.write_text(GOOD[:start] + "strategy: peeking:Peeking\n" + GOOD[end:])
    return str(file)


def test_a_good_strategy_is_told_with_what_was_looked_at_and_status_0(call):
    status, table, complaint = call()
    assert (status, complaint) == (0, "")
    assert table.splitlines() == [
        "strategy       rsi, 41 candles to warm up",
        "candles        600 of binance BTC/USDT 1h from 2026-01-01 12:00 to 2026-01-26 11:00 UTC",
        "answers        ok: 600 rows of whole histories and 560 of windows: a valid signal, a reason and "
        "numbers for each candle",
        "input          ok: 600 candles are unchanged after evaluate",
        "deterministic  ok: 600 rows are the same when asked again",
        "causal         ok: 560 truncated histories, each row of each, and 560 last rows of windows: "
        "as with the later candles",
        "warm-up        ok: 560 windows of 41 candles: as the whole history",
    ]


def test_a_strategy_that_looks_ahead_is_told_with_the_candle_and_status_1(call, peeking):
    status, table, complaint = call(CONFIG_FILE=peeking)
    assert (status, complaint) == (1, "")
    prices = closes(600)
    assert table.splitlines()[-2:] == [
        f"causal         VIOLATED: at 2026-01-01 13:00 UTC ({NOON + HOUR}) `tomorrow` is {prices[2]} with all "
        "later candles and no value without them: it looks ahead",
        "warm-up        not looked at, for what is above",
    ]


def test_a_csv_needs_no_database_and_says_the_same(call, tmp_path):
    file = tmp_path / "candles.csv"
    candles = [candle(NOON + at * HOUR, price) for at, price in enumerate(closes(600))]
    rows = [f"{c.timestamp},{c.open},{c.high},{c.low},{c.close},{c.volume}" for c in candles]
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    without = call("--csv", str(file), url=f"sqlite:///{tmp_path}/none.db")
    assert without == call()
    assert not (tmp_path / "none.db").exists()


def test_a_span_is_warmed_up_by_what_is_before_it(call):
    table = call("--since", "2026-01-10", "--until", "2026-01-12")[1]
    assert "89 of binance BTC/USDT 1h from 2026-01-08 08:00 to 2026-01-12 00:00 UTC" in table
    assert "49 windows of 41 candles" in table


def test_candles_between_holes_are_told_apart(call, market):
    market.skip()
    market.add(*closes(30))
    table = call()[1]
    assert "30 of them lie between holes, too few in a row to be evaluated" in table
    assert "560 windows" in table


def test_a_registered_strategy_is_checked_with_the_parameters_it_is_registered_with(call, market):
    kept = {"period": 3, "oversold": 20.0, "overbought": 80.0, "trigger": "level"}
    rules = {"starting_balance": "1000", "stake_amount": "500"}
    Registry(market.database).register(
        Registration("mine", market.partition, "rsi", None, "paper", kept, 61, Decimal(1000), rules)
    )
    assert call("--strategy-id", "mine")[1].startswith("strategy       rsi, 61 candles to warm up")


@pytest.mark.parametrize(
    ("arguments", "variables", "complaint"),
    [
        (
            [],
            {"PARAMETER_TREND_PERIOD": "600"},
            "candles: expected more than the 600 that rsi needs to warm up, none missing between them, found 600",
        ),
        (
            ["--since", "2027-01-01"],
            {},
            "candles: expected some of binance BTC/USDT 1h since 2027-01-01 00:00, found none",
        ),
        (
            ["--strategy-id", "mime"],
            {},
            "--strategy-id: expected a registered strategy, found 'mime'; none is registered",
        ),
        (["--csv", "no.csv"], {}, "--csv: expected a CSV file that can be read, found no.csv"),
        (
            [],
            {"STRATEGY": "mine:Mine"},
            "STRATEGY: expected a file config/strategies/mine.py, found none",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_2(call, arguments, variables, complaint):
    status, out, err = call(*arguments, **variables)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"trader: {complaint}")


def test_the_process_ends_with_the_status(market, database_url, peeking):
    market.add(*closes(60))
    done = run_trader(database_url, "check-strategy", CONFIG_FILE=peeking)
    assert (done.returncode, done.stderr) == (1, "")
    assert "VIOLATED" in done.stdout
