"""Where the history of an exchange begins: found out, said once, and not asked for again."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.backfiller.surroundings import rows, stored

HOUR, DAY = 3_600_000, 86_400_000
FIRST_DAY = int(datetime(2017, 9, 4, tzinfo=UTC).timestamp() * 1000)


def a_minute_later(database):
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE gaps SET ask_again_at = 0 WHERE state = 'found'")


def ledger(database):
    found = rows(database, 'SELECT start, "end", state FROM gaps ORDER BY start')
    return [tuple(row) for row in found]


def kinds(database):
    return [kind for (kind,) in rows(database, "SELECT kind FROM events ORDER BY event_id")]


def test_days_before_the_market_began_are_out_of_reach_once_that_is_sure(practice, fill, database):
    config = "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1d, since: 2017-08-25}]"
    before = (FIRST_DAY - 10 * DAY, FIRST_DAY - DAY)
    for _ in range(2):
        assert fill(config) == []
        assert ledger(database) == [(*before, "found")]
        a_minute_later(database)

    assert fill(config) == []

    assert stored(database, "binance", "BTC/USDT", "1d")[0][0] == FIRST_DAY
    assert ledger(database) == [(*before, "out_of_reach")]
    assert rows(database, "SELECT reach FROM partitions") == [(FIRST_DAY,)]
    assert kinds(database) == ["history_out_of_reach"]
    calls = practice.calls("binance", "klines")
    assert fill(config) == []
    assert practice.calls("binance", "klines") == calls


def test_recent_candles_for_an_old_question_are_neither_stored_twice_nor_taken_for_a_gap(
    practice, fill, database
):
    config = "partitions: [{exchange: coinbase, symbol: BTC/USD, timeframe: 1h, history: 2d}]"
    assert fill(config) == []
    found = stored(database, "coinbase", "BTC/USD", "1h")
    names = ("start", "open", "high", "low", "close", "volume")
    recent = [
        {"start": f"{row[0] / 1000:.0f}"}
        | {name: f"{value}" for name, value in zip(names[1:], row[1:], strict=True)}
        for row in found[1:]
    ]
    practice.fail(
        exchange="coinbase", endpoint="candles", kind="body", body={"candles": recent}, count=None
    )
    calls = practice.calls("coinbase", "candles")

    for _ in range(2):
        assert fill(config.replace("2d", "60d")) == []

    assert practice.calls("coinbase", "candles") - calls <= 2  # both were under way
    assert stored(database, "coinbase", "BTC/USD", "1h")[: len(found)] == found
    assert [(end, state) for _, end, state in ledger(database)] == [
        (found[0][0] - HOUR, "out_of_reach")
    ]
    assert kinds(database) == ["history_out_of_reach"]
