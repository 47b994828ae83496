"""A candle that an exchange corrects after its close is corrected here, and both values are kept."""

from __future__ import annotations

from backfiller.revisions import store_candles
from common.candle import Candle
from common.market_data import MarketData
from common.partition import Partition
from common.timeframe import Timeframe
from tests.backfiller.surroundings import rows, stored, until

HOUR = 3_600_000
BTC = Partition("binance", "BTC/USDT", Timeframe.H1)
OLD = Candle(HOUR, 10.0, 12.0, 9.0, 11.0, 5.0)
NEW = Candle(HOUR, 10.0, 13.0, 9.0, 12.5, 6.0)


def store(database, *candles, now=1, stored_at=()):
    with database.write() as connection:
        return store_candles(connection, BTC, candles, now=now, stored_at=dict(stored_at))


def test_other_values_replace_the_stored_ones_which_are_kept_with_both_times(database):
    store(database, OLD)

    outcome = store(database, NEW, now=99, stored_at={HOUR: 50})

    assert outcome.count == 0
    assert str(outcome.revised[0]).endswith(
        "high 12.0 is 13.0, close 11.0 is 12.5, volume 5.0 is 6.0"
    )
    assert MarketData(database).candles(BTC, limit=5) == [(HOUR, 10.0, 13.0, 9.0, 12.5, 6.0)]
    assert rows(
        database,
        "SELECT timestamp, stored_at, found_at, old_close, new_close, old_high, new_high, old_volume,"
        " new_volume FROM revisions",
    ) == [(HOUR, 50, 99, 11.0, 12.5, 12.0, 13.0, 5.0, 6.0)]


def test_the_same_values_again_are_no_revision(database):
    store(database, OLD)

    assert store(database, OLD).revised == ()
    assert rows(database, "SELECT * FROM revisions") == []


def test_candles_that_the_exchange_corrects_before_the_next_close_are_corrected_at_it(
    fast_practice, daemons, database
):
    markets = {"binance": "BTC/USDT", "kraken": "BTC/USD", "coinbase": "BTC/USD"}
    listed = [
        f"{{exchange: {exchange}, symbol: {symbol}, timeframe: 15m, history: 2h}}"
        for exchange, symbol in markets.items()
    ]
    fast_practice.fail(kind="revision", timeframe="15m", lasts_ms=600_000, count=None)
    try:
        daemons.start(fast_practice, f"partitions: [{', '.join(listed)}]", TICKER_INTERVAL_S="60")
        query = "SELECT exchange FROM revisions GROUP BY exchange HAVING count(*) >= 3"
        until(lambda: len(rows(database, query)) == 3, "three corrected candles of each exchange")
    finally:
        fast_practice.heal()
        daemons.end()

    assert ("candle_revised",) in rows(database, "SELECT DISTINCT kind FROM events")
    for exchange, symbol in markets.items():
        found = stored(database, exchange, symbol, "15m")
        truth = {row[0]: row for row in fast_practice.truth(exchange, symbol, "15m", found[0][0])}
        assert found[-4:-1] == [
            truth[row[0]] for row in found[-4:-1]
        ]  # the newest may be wrong yet
        revision = rows(database, "SELECT * FROM revisions WHERE exchange = :e", e=exchange)[0]
        assert revision.new_close == truth[revision.timestamp][4] != revision.old_close
        assert revision.found_at > (revision.stored_at or 0)
