from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from common.errors import ConfigurationError
from practice.path import candles, price_at
from practice.replay import ReplayedPath, read_candles
from tests.practice.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.practice.running import Practice

MINUTE = 60_000
START = 1_600_000_200_000  # a multiple of five minutes
HEADER = "timestamp_ms,open,high,low,close,volume"
REAL = ROOT.parent / "shared" / "data" / "COINBASE_BTC-USD_1h.csv.gz"


def written(file: Path, *lines: str, header: str = HEADER) -> str:
    file.write_text("\n".join([header, *lines, ""]))
    return str(file)


def five_minutes(number: int, ohlcv: str) -> str:
    return f"{START + number * 5 * MINUTE},{ohlcv}"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Candles of five minutes: rising, falling, then a hole of one, then another."""
    return written(
        tmp_path / "candles.csv",
        five_minutes(0, "100.0,112.5,99.0,110.0,1.5"),
        five_minutes(1, "110.0,111.0,90.0,91.0,2.25"),
        five_minutes(3, "95.0,96.0,94.0,95.5,3.0"),
        *(five_minutes(number, "95.5,96.0,95.0,95.5,1.0") for number in range(4, 400)),
    )


def iso(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat()


def test_the_candles_of_a_file_are_served_with_a_flat_one_or_a_gap_for_a_hole(
    started: Callable[..., Practice], file: str
) -> None:
    practice = started("--data", file, "--start", iso(START + 30 * MINUTE))

    def ask(exchange: str, symbol: str, timeframe: str) -> Any:
        return practice.asked(
            exchange, lambda client: client.fetch_ohlcv(symbol, timeframe, START, 4)
        )

    first = [START, 100.0, 112.5, 99.0, 110.0, 1.5]
    second = [START + 5 * MINUTE, 110.0, 111.0, 90.0, 91.0, 2.25]
    flat = [START + 10 * MINUTE, 91.0, 91.0, 91.0, 91.0, 0.0]
    fourth = [START + 15 * MINUTE, 95.0, 96.0, 94.0, 95.5, 3.0]
    assert ask("binance", "BTC/USDT", "5m") == [first, second, flat, fourth]
    assert ask("coinbase", "BTC/USD", "5m")[:3] == [first, second, fourth]
    assert ask("kraken", "BTC/USD", "5m") == ask("kraken", "BTC/USDT", "5m")
    assert ask("kraken", "BTC/USD", "5m") == [first, second, flat, fourth]
    assert ask("binance", "BTC/USDT", "15m")[0] == [START, 100.0, 112.5, 90.0, 91.0, 3.75]
    hours = practice.asked("binance", lambda client: client.fetch_ohlcv("BTC/USDT", "1h", 0))
    assert hours[0] == [START - 30 * MINUTE, 100.0, 112.5, 90.0, 95.5, 8.75]
    assert [hours[0]] == practice.truth("binance", "BTC/USDT", "1h", since=0)
    with pytest.raises(ccxt.BadRequest, match="Invalid interval"):
        ask("binance", "BTC/USDT", "1m")
    with pytest.raises(ccxt.BadRequest, match="granularity"):
        ask("coinbase", "BTC/USD", "1m")
    assert practice.asked("binance", lambda client: client.fetch_ohlcv("ETH/USDT", "1m"))


def test_within_a_candle_the_price_goes_by_the_nearer_extreme_to_the_other_and_the_close(
    file: str,
) -> None:
    path = ReplayedPath(read_candles(file))
    rising = [price_at(path, START + third * 100_000) for third in range(3)]
    assert rising == [1000, 990, 1125]
    falling = [price_at(path, START + 5 * MINUTE + third * 100_000) for third in range(3)]
    assert falling == [1100, 1110, 900]
    assert price_at(path, START + 10 * MINUTE - 1) == 910
    assert price_at(path, START + 12 * MINUTE) == 910
    _, found = candles(path, 5 * MINUTE, START, START, START + 150_000)
    assert (found.open[0], found.low[0], found.volume[0]) == (1000, 990, 75)


def test_the_clock_starts_in_the_middle_of_the_file_and_a_symbol_that_is_not_listed_gets_a_market(
    started: Callable[..., Practice], file: str
) -> None:
    practice = started("--data", f"CFI/BTC={file}")
    middle = START + 200 * 5 * MINUTE
    assert 0 <= practice.now_ms() - middle < 10_000
    for exchange in ("binance", "coinbase", "kraken"):
        ticker = practice.asked(exchange, lambda client: client.fetch_ticker("CFI/BTC"))
        assert 95 <= ticker["last"] <= 96


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([five_minutes(0, "1,2,1,1,x")], r"row 2: expected 6 numbers, found .*,x$"),
        ([five_minutes(0, "1,2,1,1")], r"row 2: expected 6 numbers"),
        ([five_minutes(0, "1,2,1,nan,1")], r"row 2: expected"),
        (
            [five_minutes(0, "1,1,1,1,1"), five_minutes(1, "5,2,1,1,1")],
            "row 3: expected 0 < low <=",
        ),
        ([five_minutes(0, "1,1,1,1,-1")], "row 2: .*no volume below 0"),
        (
            [five_minutes(0, "1,1,1,1,1")] * 2,
            f"row 3: expected a time after {START}, found {START}",
        ),
        (
            [
                five_minutes(0, "1,1,1,1,1"),
                five_minutes(1, "1,1,1,1,1"),
                f"{START + 400_000},1,1,1,1,1",
            ],
            "whole minutes",
        ),
        ([five_minutes(0, "1,1,1,1,1")], "at least 2 candles, found 1"),
    ],
)
def test_a_bad_row_is_named_with_what_was_expected(
    tmp_path: Path, lines: list[str], text: str
) -> None:
    with pytest.raises(ConfigurationError, match=text):
        read_candles(written(tmp_path / "bad.csv", *lines))


def test_a_file_without_the_header_or_that_is_no_gzip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="row 1: expected timestamp_ms"):
        read_candles(written(tmp_path / "bare.csv", header="1,2,3"))
    with pytest.raises(ConfigurationError, match="readable CSV file"):
        read_candles(written(tmp_path / "plain.csv.gz"))


@pytest.mark.skipif(
    not REAL.exists(), reason="COINBASE_BTC-USD_1h.csv.gz is not beside the project"
)
def test_two_years_of_real_candles_are_replayed_to_the_last_digit(
    started: Callable[..., Practice],
) -> None:
    with gzip.open(REAL, "rt") as lines:
        rows = [[float(cell) for cell in row] for row in list(csv.reader(lines))[1:]]
    rows = [row for row in rows if row[5]]  # without those in which nothing traded
    practice = started("--data", f"BTC/USD={REAL}")
    assert practice.truth("coinbase", "BTC/USD", "1h", since=0, limit=5000) == rows[:5000]
    since = int(rows[1000][0])
    found = practice.asked(
        "coinbase", lambda client: client.fetch_ohlcv("BTC/USD", "1h", since, 300)
    )
    assert found == rows[1000:1300]
