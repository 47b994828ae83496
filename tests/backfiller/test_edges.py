"""What an exchange gets wrong stays out of the database, is said, and is asked for again."""

from __future__ import annotations

import json

from practice.fault import WAYS
from tests.backfiller.surroundings import once, rows, stored

CONFIG = "partitions: [{exchange: binance, symbol: BTC/USDT, timeframe: 1h, history: 3d}]"
SILENT = "partitions: [{exchange: coinbase, symbol: BTC/USD, timeframe: 1h, history: 3d}]"
HARMLESS = {"out_of_order"}


def is_true(practice, database, exchange, symbol):
    found = stored(database, exchange, symbol, "1h")
    truth = {row[0]: row for row in practice.truth(exchange, symbol, "1h", found[0][0])}
    return all(row == truth[row[0]] for row in found)


def a_minute_later(database):
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE gaps SET ask_again_at = 0 WHERE state = 'found'")


def test_rows_that_cannot_be_are_kept_out_counted_and_asked_for_again(practice, fill, database):
    coins = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "LTC")
    symbols = [f"{coin}/USDT" for coin in coins] + [f"{coin}/USDC" for coin in coins[:3]]
    wrong = dict(zip(symbols, WAYS, strict=True))  # each of them in one market
    config = "history: 3d\npartitions:\n" + "".join(
        f"  - {{exchange: binance, symbol: {symbol}, timeframe: 1h}}\n" for symbol in symbols
    )
    for symbol, way in wrong.items():
        practice.fail(exchange="binance", kind="bad_rows", way=way, timeframe="1h", symbol=symbol)

    assert fill(config) == []

    lacking = {symbol for symbol in symbols if len(stored(database, "binance", symbol, "1h")) < 71}
    assert {wrong[symbol] for symbol in lacking} == set(WAYS) - HARMLESS
    events = rows(database, "SELECT detail FROM events WHERE kind = 'candle_rejected'")
    told = {detail["symbol"]: detail["count"] for (text,) in events if (detail := json.loads(text))}
    assert told == dict.fromkeys(lacking, 1)

    a_minute_later(database)
    assert fill(config) == []
    for symbol in symbols:
        assert len(stored(database, "binance", symbol, "1h")) == 71
        assert is_true(practice, database, "binance", symbol)


def test_an_empty_answer_where_candles_must_be_is_a_failed_call(practice, fill, database):
    practice.fail(exchange="coinbase", kind="empty", timeframe="1h")  # nothing is known yet
    assert fill(SILENT) == []
    found = stored(database, "coinbase", "BTC/USD", "1h")
    assert len(found) == 71

    with database.write() as connection:  # the middle is asked for again, beside what is there
        connection.exec_driver_sql(f"DELETE FROM ohlcv_data WHERE timestamp = {found[30][0]:.0f}")
    practice.fail(exchange="coinbase", kind="empty", timeframe="1h")
    assert fill(SILENT) == []
    assert stored(database, "coinbase", "BTC/USD", "1h") == found
    assert rows(database, "SELECT * FROM gaps") == []


def test_a_symbol_whose_ticker_is_refused_does_not_cost_the_others_theirs(practice, fill, database):
    config = "history: 2h\npartitions:\n" + "".join(
        f"  - {{exchange: kraken, symbol: {symbol}, timeframe: 1h}}\n"
        for symbol in ("BTC/USD", "ETH/USD")
    )
    refusal = {"error": ["EQuery:Unknown asset pair"]}
    practice.fail(
        exchange="kraken",
        endpoint="Ticker",
        market="*XETHZUSD*",
        kind="body",
        body=refusal,
        count=None,
    )

    assert fill(config) == []
    assert fill(config) == []

    served = rows(database, "SELECT DISTINCT symbol FROM ticker_data ORDER BY 1")
    assert served == [("BTC/USD",)]
    told = rows(database, "SELECT kind, message FROM events")  # once, though it began twice
    assert [kind for kind, _ in told] == ["ticker_refused"]
    assert told[0].message.startswith("kraken ETH/USD: ")


def test_a_row_that_a_hand_wrote_wrongly_hides_no_other(practice, database, tmp_path):
    row = (
        "INSERT INTO strategy_metadata (strategy_id, exchange, symbol, timeframe, strategy_name, mode,"
        " parameters, warmup, starting_balance, status, registered_at, updated_at)"
        " VALUES ('{}', '{}', '{}', '{}', 'rsi', 'paper', '{{}}', 5, '1', 'waiting', 1, 1)"
    )
    with database.write() as connection:
        for values in (
            ("a", "binance", "BTC/USDT", "7h"),
            ("b", "Binance!", "BTC/USDT", "1h"),
            ("c", "binance", "btcusdt", "1h"),
            ("d", "binance", "BTC/USDT", "1h"),
        ):
            connection.exec_driver_sql(row.format(*values))

    for _ in range(2):
        assert once(practice, database, tmp_path, "history: 2h") == []

    assert stored(database, "binance", "BTC/USDT", "1h")
    told = [message for (message,) in rows(database, "SELECT message FROM events ORDER BY 1")]
    assert [message[:15] for message in told] == [f"strategy_id '{one}'" for one in "abc"]
    assert "timeframe: expected one of 1m, 5m, 15m, 1h, 4h, 1d, found '7h'" in told[0]
