"""`python -m trader backtest`: from a database or a file to a table, JSON and CSV; and its mistakes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

import schema
from common.exchange_status import Exchanges, Market
from common.market_data import MarketData
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe
from tests.trader.market import candle, closes
from tests.trader.running import ROOT, environment
from trader.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000
START = 1_767_225_600_000  # 2026-01-01T00:00Z
BTC_1H = Partition("binance", "BTC/USDT", Timeframe.H1)
CANDLES = [candle(START + at * HOUR, price) for at, price in enumerate(closes(600))]
FAST = {"RSI_PERIOD": "2"}  # 41 candles to warm up
HEADER = "timestamp,open,high,low,close,volume"


@pytest.fixture
def stored(database_url: str) -> str:
    database = schema.open_database(database_url)
    MarketData(database).store_candles(BTC_1H, CANDLES)
    rules = Market("BTC/USDT", Decimal("0.1"), Decimal("0.01"), None, Decimal(5))
    Exchanges(database).record_markets("binance", ["1h"], [rules])
    registration = Registration(
        "mine",
        BTC_1H,
        "rsi",
        "config/trader.yml",
        "paper",
        {"period": 2, "oversold": 20.0, "overbought": 80.0, "trigger": "level"},
        41,
        Decimal(1000),
        {
            "starting_balance": "1000",
            "stake_amount": "500",
            "stop_loss": "0.05",
            "fee_rate": "0.002",
        },
    )
    Registry(database).register(registration)
    database.close()
    return database_url


@pytest.fixture
def call(stored, capsys, monkeypatch):
    """Runs the command in this process: its status, what it printed, and its complaint."""
    monkeypatch.chdir(ROOT)

    def run(*arguments: str, url: str = stored) -> tuple[int, str, str]:
        status = main(["backtest", *arguments], environment(url, **FAST))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def as_csv(file: Path, *rows: str) -> str:
    file.write_text("\n".join([HEADER, *rows]) + "\n")
    return str(file)


def all_as_csv(file: Path) -> str:
    rows = (f"{c.timestamp},{c.open},{c.high},{c.low},{c.close},{c.volume}" for c in CANDLES)
    return as_csv(file, *rows)


def test_a_table_says_what_came_of_the_configured_strategy(call):
    status, table, _ = call()
    assert status == 0
    lines = dict(line.split("  ", 1) for line in table.splitlines() if "  " in line)
    assert lines["market"].strip() == "binance BTC/USDT 1h"
    assert lines["candles"].strip() == (
        "600 from 2026-01-01 00:00 to 2026-01-25 23:00 UTC, 0 missing"
    )
    assert {"net profit", "CAGR", "max drawdown", "Sharpe", "Sortino", "fees"} <= {
        name.strip() for name in lines
    }


def test_a_registered_strategy_runs_with_the_parameters_it_is_registered_with(call):
    told = json.loads(call("--strategy-id", "mine", "--json")[1])
    other = json.loads(call("--json")[1])
    assert (told["strategy_id"], told["starting_balance"]) == ("mine", "1000")
    assert other["starting_balance"] == "10000"
    assert told["trades"] > 0
    assert Decimal(told["net_profit"]) == Decimal(told["realised_profit"]) + Decimal(
        told["unrealised_profit"]
    )


def test_the_trades_as_csv_add_up_to_what_is_told(call, tmp_path):
    file = tmp_path / "trades.csv"
    told = json.loads(call("--json", "--trades", str(file))[1])
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert len(rows) == told["trades"] > 0
    assert sum(Decimal(row["fee"]) for row in rows) == Decimal(told["fees"])
    assert sum(Decimal(row["realised_profit"]) for row in rows) == Decimal(told["realised_profit"])
    assert all(Decimal(row["amount"]) % Decimal("0.1") == 0 for row in rows)


def test_a_report_is_one_file_beside_the_result(call, tmp_path):
    file = tmp_path / "report.html"
    assert call("--html", str(file)) == call()
    page = file.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert 'data-name="rsi"' in page
    again = tmp_path / "again.html"
    call("--strategy-id", "mine", "--html", str(again))
    assert '<th scope="row">oversold</th><td>20</td>' in again.read_text(encoding="utf-8")


def test_a_csv_of_the_same_candles_gives_the_same_result_as_the_database(call, tmp_path):
    assert call("--json", "--csv", all_as_csv(tmp_path / "candles.csv")) == call("--json")


def test_a_csv_needs_no_database(call, tmp_path):
    file = as_csv(tmp_path / "c.csv", "2026-01-01T00:00,1,1,1,1,0", "1767229200000,1,1,1,1,0")
    status, told, _ = call("--json", "--csv", file, url=f"sqlite:///{tmp_path}/none.db")
    assert status == 0
    assert json.loads(told)["candles"] == 2
    assert not (tmp_path / "none.db").exists()


def test_decisions_begin_at_since_warmed_up_by_what_is_before(call):
    since = CANDLES[300].timestamp
    told = json.loads(call("--json", "--since", "2026-01-13T12:00", "--until", "2026-01-14")[1])
    assert (told["since"], told["candles"]) == (since, 13)
    later = json.loads(call("--json", "--since", "2026-01-13T12:00")[1])
    assert later["candles"] == 300


def test_slippage_costs(call):
    free, dear = (
        Decimal(json.loads(call("--json", *arguments)[1])["net_profit"])
        for arguments in ([], ["--slippage", "0.002"])
    )
    assert dear < free


def test_archived_candles_are_read_with_the_stored_ones(call, stored):
    import polars as pl  # noqa: PLC0415 - as the archive itself does

    before = call("--json")
    database = schema.open_database(stored)
    folder = database.path.parent / "archive" / "binance" / "BTC-USDT" / "1h"
    folder.mkdir(parents=True)
    columns = HEADER.split(",")
    rows = [[getattr(c, name) for name in columns] for c in CANDLES]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(folder / "2026-01.parquet")
    with database.write() as connection:
        connection.exec_driver_sql(
            "DELETE FROM ohlcv_data WHERE timestamp < ?", (CANDLES[200].timestamp,)
        )
    database.close()
    assert call("--json") == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--strategy-id", "mime"],
            "--strategy-id: expected a registered strategy, found 'mime'; did you mean 'mine'?",
        ),
        (
            ["--since", "2026-01-03", "--until", "2026-01-02"],
            "--since: expected a time before --until, which is 2026-01-02 00:00, found 2026-01-03 00:00",
        ),
        (
            ["--since", "2027-01-01"],
            "candles: expected some of binance BTC/USDT 1h since 2027-01-01 00:00, found none",
        ),
        (
            ["--since", "soon"],
            "--since: expected a time such as 2025-01-31 or 2025-01-31T12:00, found 'soon'",
        ),
        (
            ["--slippage", "5%"],
            "--slippage: expected a ratio from 0 to below 1 such as 0.0005, found '5%'",
        ),
        (
            ["--csv", "nowhere.csv"],
            "--csv: expected a CSV file that can be read, found nowhere.csv: No such file or directory",
        ),
        (
            ["--trades", "/nowhere/trades.csv"],
            "--trades: expected a file that can be written, found /nowhere/trades.csv: No such file or directory",
        ),
        (
            ["--html", "/nowhere/report.html"],
            "--html: expected a file that can be written, found /nowhere/report.html: No such file or directory",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_2(call, arguments, complaint):
    assert call(*arguments) == (2, "", f"trader: {complaint}\n")


def test_a_damaged_archive_is_named(call, tmp_path):
    folder = tmp_path / "archive" / "binance" / "BTC-USDT" / "1h"
    folder.mkdir(parents=True)
    (folder / "2025-12.parquet").write_text("no parquet")
    status, _, complaint = call()
    assert status == 2
    assert complaint.startswith(f"trader: {folder / '2025-12.parquet'}: expected an archived month")


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["1767225600000,1,2,0.5"], "line 2: expected 6 fields, found 4"),
        (["1767225600000,1,1,1,x,1"], "line 2: expected a number, found 'x'"),
        (
            ["1767225600000,1,1,1,nan,1"],
            "line 2: close: expected a finite number above 0, found nan",
        ),
        (
            ["1767225600000,1,1,1,1,1", "1767225600000,1,1,1,1,1"],
            "line 3: expected a 1h candle that opened after the one before it, found 2026-01-01 00:00",
        ),
        (
            ["1767225660000,1,1,1,1,1"],
            "line 2: expected a 1h candle that opened after the one before it, found 2026-01-01 00:01",
        ),
    ],
)
def test_a_bad_row_of_a_csv_is_named(call, tmp_path, rows, complaint):
    file = as_csv(tmp_path / "c.csv", *rows)
    assert call("--csv", file) == (2, "", f"trader: {file} {complaint}\n")


def test_a_csv_without_its_header_is_told_apart(call, tmp_path):
    file = tmp_path / "c.csv"
    file.write_text("1767225600000,1,1,1,1,1\n")
    assert call("--csv", str(file))[2] == (
        f"trader: {file} line 1: expected {HEADER}, found 1767225600000,1,1,1,1,1\n"
    )


def test_it_loads_neither_polars_nor_a_daemons_logging_without_an_archive(stored):
    code = (
        "import sys; from trader.__main__ import main; status = main(['backtest']); "
        "sys.exit(status or sorted({'polars', 'structlog', 'ccxt', 'alembic', 'rich', 'trader.backtest.page'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(stored, **FAST),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
