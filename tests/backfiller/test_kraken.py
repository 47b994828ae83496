"""Kraken gives its newest 720 candles and no older one, whatever it is asked for."""

from __future__ import annotations

from decimal import Decimal

from common.candle import Candle
from common.market_data import MarketData
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe
from tests.backfiller.surroundings import rows, stored

HOUR = 3_600_000
BTC = Partition("kraken", "BTC/USD", Timeframe.H1)
CONFIG = "partitions: [{exchange: kraken, symbol: BTC/USD, timeframe: 1h, history: 60d}]"
SIXTY_DAYS = 60 * 24 - 1


def ledger(database):
    return rows(database, 'SELECT start, "end", state FROM gaps ORDER BY start')


def test_what_the_api_cannot_give_is_said_once_and_not_asked_for_again(practice, fill, database):
    before = practice.calls("kraken", "OHLC")

    assert fill(CONFIG) == []

    found = stored(database, "kraken", "BTC/USD", "1h")
    assert len(found) == 719  # the 720th is still open
    assert found == practice.truth("kraken", "BTC/USD", "1h", found[0][0])
    assert practice.calls("kraken", "OHLC") - before == 1
    first, last, state = ledger(database)[0]
    assert ((last - first) // HOUR + 1, last + HOUR, state) == (
        SIXTY_DAYS - 719,
        found[0][0],
        "out_of_reach",
    )
    assert rows(database, "SELECT reach FROM partitions") == [(found[0][0],)]
    assert "python -m backfiller import" in rows(database, "SELECT note FROM partitions")[0][0]

    longer = CONFIG.replace("60d", "90d")
    assert fill(longer) == []

    assert practice.calls("kraken", "OHLC") - before == 1
    ((earlier, same, _),) = ledger(database)  # one row still, that begins earlier
    assert (earlier, same) == (first - 30 * 24 * HOUR, last)
    kinds = [kind for (kind,) in rows(database, "SELECT kind FROM events")]
    assert kinds == ["history_out_of_reach"]
    (message,) = rows(database, "SELECT message FROM events")[0]
    assert message.startswith("kraken BTC/USD 1h: ")
    assert "python -m backfiller import" in message


def test_a_warm_up_that_fits_is_there_and_tickers_too(practice, fill, database):
    registration = Registration("slow", BTC, "rsi", None, "paper", {}, 560, Decimal(1000))
    Registry(database).register(registration)

    assert fill("history: 2d") == []

    assert len(stored(database, "kraken", "BTC/USD", "1h")) == 719
    assert rows(database, "SELECT count(*) FROM ticker_data WHERE timestamp > 0") == [(1,)]


def test_candles_from_elsewhere_fill_their_part_of_the_row(practice, fill, database):
    fill(CONFIG)
    (first, last, _), *_ = ledger(database)
    opens = range(first + 10 * HOUR, first + 20 * HOUR, HOUR)
    candles = [Candle(time, 1.0, 2.0, 0.5, 1.5, 3.0) for time in opens]
    MarketData(database).store_candles(BTC, candles)

    fill(CONFIG)

    assert [tuple(row) for row in ledger(database)] == [
        (first, opens[0] - HOUR, "out_of_reach"),
        (opens[0], opens[-1], "filled"),
        (opens[-1] + HOUR, last, "out_of_reach"),
    ]


def test_rows_left_out_in_the_middle_of_an_answer_are_fetched_later(practice, fill, database):
    practice.fail(exchange="kraken", kind="missing_rows", symbol="BTC/USD", timeframe="1h")
    fill(CONFIG)
    assert len(stored(database, "kraken", "BTC/USD", "1h")) < 719
    found = [row for row in ledger(database) if row.state == "found"]
    assert len(found) == 1

    with database.write() as connection:  # a minute later
        connection.exec_driver_sql("UPDATE gaps SET ask_again_at = 0 WHERE state = 'found'")
    fill(CONFIG)

    candles = stored(database, "kraken", "BTC/USD", "1h")
    assert candles == practice.truth("kraken", "BTC/USD", "1h", candles[0][0])
    assert len(candles) == 719
    assert (found[0].start, found[0].end, "filled") in [tuple(row) for row in ledger(database)]
