"""What is there, what is missing and why: the view, the commands, and the demo's table."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import sqlalchemy as sa
from rich.console import Console
from rich.text import Text

import schema
from candlewell.status import status_of
from candlewell.status_tables import screen
from common.candle import Candle
from common.exchange_status import Exchanges
from common.market_data import MarketData
from common.overview import exchanges, partitions
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller.surroundings import ROOT, rows

HOUR = 3_600_000
START = 1_740_787_200_000  # 2025-03-01
ONE = Partition("binance", "BTC/USDT", Timeframe.H1)
TWO = Partition("kraken", "BTC/USD", Timeframe.D1)


def candle(hour: int) -> Candle:
    return Candle(START + hour * HOUR, 2.0, 3.0, 1.0, 2.0, 5.0)


def gap(first: int, last: int, state: str, again: int | None = None) -> dict[str, object]:
    return {
        "exchange": "binance",
        "symbol": "BTC/USDT",
        "timeframe": "1h",
        "start": START + first * HOUR,
        "end": START + last * HOUR,
        "state": state,
        "found_at": START,
        "asked": 1,
        "ask_again_at": again,
    }


@pytest.fixture
def holey(database):
    """Hours 10 to 29 but for seven: two empty, one asked again, one filled since, four that nobody knows of."""
    missing = {12, 13, 16, 20, 21, 22, 23}
    MarketData(database).store_candles(
        ONE, [candle(hour) for hour in range(10, 30) if hour not in missing]
    )
    found = [
        gap(0, 9, "out_of_reach"),
        gap(12, 13, "confirmed_empty"),
        gap(16, 16, "found", START + 40 * HOUR),
        gap(18, 18, "filled"),
    ]
    reach = {"reach": START + 10 * HOUR, "note": "older ones come from a file: see import"}
    key = {"exchange": "kraken", "symbol": "BTC/USD", "timeframe": "1d", "updated_at": START}
    archived = key | {"month": "2025-01", "first": START, "last": START + HOUR, "candles": 31}
    with database.write() as connection:
        connection.execute(sa.insert(schema.gaps), found)
        connection.execute(sa.insert(schema.partitions), key | reach | {"built_from": "1h"})
        connection.execute(sa.insert(schema.archived_months), archived)
    return database


def command(database, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backfiller", *words],
        cwd=ROOT,
        env={"DATABASE_URL": f"sqlite:///{database.path}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_view_tells_what_is_explained_and_counts_no_gap_outside_the_candles(holey):
    (row,) = partitions(holey)
    assert (row.candles, row.missing, row.explained, row.unexplained) == (13, 7, 2, 5)
    assert row.open_gaps == 1
    assert (row.first, row.last) == ("2025-03-01 10:00:00", "2025-03-02 05:00:00")


def test_every_partition_is_counted_whatever_the_others_are(database):
    names = [("a", "X/Y"), ("a", "Z/Y"), ("b", "A/B"), ("c", "X/Y")]
    for number, (exchange, symbol) in enumerate(names, 1):
        for timeframe in (Timeframe.H1, Timeframe.M1, Timeframe.D1):
            own = Partition(exchange, symbol, timeframe)
            found = [
                Candle(step * timeframe.milliseconds, 2.0, 3.0, 1.0, 2.0, 5.0)
                for step in range(number)
            ]
            MarketData(database).store_candles(own, found)
    plain = rows(
        database,
        "SELECT exchange, symbol, timeframe, count(*) FROM ohlcv_data GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    )
    assert [(*row.key, row.candles) for row in partitions(database)] == [
        tuple(row) for row in plain
    ]


def test_coverage_tells_a_person_what_is_missing_and_why(holey):
    done = command(holey, "coverage")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "partition            candles  first, UTC        last, UTC         missing  explained",
        "binance BTC/USDT 1h       13  2025-03-01 10:00  2025-03-02 05:00        7          2",
        "    1 asked for again (next at 2025-03-02 16:00); 2 confirmed empty; "
        "10 out of the exchange's reach; 1 filled since",
        "kraken BTC/USD 1d          0",
        "    archived: 31 in 1 month, 2025-03-01 00:00 to 2025-03-01 01:00",
        "    built from 1h",
        "    the exchange gives none from before 2025-03-01 10:00",
        "    older ones come from a file: see import",
    ]


def test_coverage_tells_a_program_the_same(holey):
    done = command(holey, "coverage", "--json")
    one, two = json.loads(done.stdout)
    assert (one["first"], one["missing"], one["unexplained"]) == ("2025-03-01T10:00:00.000Z", 7, 5)
    assert one["gaps"]["found"] == {
        "gaps": 1,
        "candles": 1,
        "ask_again_at": "2025-03-02T16:00:00.000Z",
    }
    assert (two["candles"], two["built_from"], two["archived"]["candles"]) == (0, "1h", 31)


def test_gaps_are_listed_by_partition_and_state(holey):
    every = command(holey, "gaps").stdout.splitlines()
    assert len(every) == 5
    assert every[0].split("  ")[0] == "partition"
    only = command(holey, "gaps", "--symbol", "BTC/USDT", "--state", "confirmed_empty", "--json")
    assert [(row["first"], row["candles"]) for row in json.loads(only.stdout)] == [
        ("2025-03-01T12:00:00.000Z", 2)
    ]
    assert command(holey, "gaps", "--exchange", "kraken").stdout == "no gaps\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--exchange", "bianance"), "did you mean 'binance'?"),
        (("--symbol", "BTCUSDT"), "--symbol: expected BASE/QUOTE such as BTC/USDT"),
        (("--timeframe", "2h"), "--timeframe: expected one of 1m, 5m, 15m"),
        (("--state", "lost"), "invalid choice: 'lost'"),
    ],
)
def test_a_wrong_filter_is_refused(holey, words, said):
    done = command(holey, "gaps", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_health_says_until_when_an_exchange_is_left_alone_and_why(database):
    Exchanges(database).record_state("kraken", "banned", until=START, error="HTTP 418")
    Exchanges(database).record_state("binance", "ok")
    well, banned = exchanges(database)
    assert (well.state, well.until, well.error) == ("ok", "", "")
    assert (banned.state, banned.until, banned.error) == (
        "banned",
        "2025-03-01 00:00:00",
        "HTTP 418",
    )


def test_the_status_fits_80_columns_and_shows_gaps_and_trouble(holey):
    Exchanges(holey).record_state("binance", "backing_off", until=START, error="timeout " * 30)
    console = Console(width=80)
    with console.capture() as captured:
        console.print(screen(Text(), status_of(holey)))
    lines = captured.get().splitlines()
    assert max(len(line) for line in lines) <= 80
    row = next(line for line in lines if line.startswith("binance BTC/USDT 1h"))
    assert row.split()[3:7] == ["13", "7", "2", "1"]
    assert any(line.startswith("binance: backing off until 00:00:00 UTC: ") for line in lines)


def test_views_of_an_earlier_program_are_made_anew_without_a_new_version(database, database_url):
    with database.write() as connection:
        connection.exec_driver_sql("DROP VIEW coverage")
        connection.exec_driver_sql("CREATE VIEW coverage AS SELECT 1 AS one")
        connection.exec_driver_sql("CREATE VIEW forgotten AS SELECT 2 AS two")
    schema.upgrade(database_url)
    assert partitions(database) == []
    with database.read() as connection:
        assert "forgotten" not in sa.inspect(connection).get_view_names()
