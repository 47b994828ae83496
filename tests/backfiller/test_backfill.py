"""The backfiller as a process, on a practice exchange: what is in the database afterwards is the truth."""

from __future__ import annotations

import signal

from tests.backfiller.surroundings import rows, stored, until

HOUR = 3_600_000
THREE = """
history: 10d
partitions:
  - {exchange: binance, symbol: BTC/USDT, timeframe: 1h}
  - {exchange: binance, symbol: ETH/USDT, timeframe: 15m}
  - {exchange: coinbase, symbol: BTC/USD, timeframe: 1h}
  - {exchange: coinbase, symbol: AMP/USD, timeframe: 1m, history: 12h}
"""
PARTITIONS = [
    ("binance", "BTC/USDT", "1h"),
    ("binance", "ETH/USDT", "15m"),
    ("coinbase", "BTC/USD", "1h"),
    ("coinbase", "AMP/USD", "1m"),
]
LONG = "partitions: [{exchange: binance, symbol: ETH/USDT, timeframe: 1m, history: 10d}]"


def candle_calls(practice):
    return practice.calls("binance", "klines") + practice.calls("coinbase", "candles")


def test_once_fetches_exactly_the_truth_and_asks_for_nothing_again(practice, daemons, database):
    status, said = daemons.run(practice, THREE, "--once")
    assert status == 0, said

    for partition in PARTITIONS:
        found = stored(database, *partition)
        truth = practice.truth(*partition, since=found[0][0])
        assert found == truth[: len(found)]
        assert len(truth) - len(found) <= 2  # a minute may have closed since
    assert rows(database, "SELECT exchange FROM ticker_data ORDER BY 1, symbol") == [
        ("binance",),
        ("binance",),
        ("coinbase",),
        ("coinbase",),
    ]

    before = candle_calls(practice)
    status, said = daemons.run(practice, THREE, "--once")
    assert status == 0, said
    assert candle_calls(practice) - before <= 1  # AMP/USD has had another minute


def test_minutes_without_a_trade_are_in_the_gap_ledger(practice, daemons, database):
    config = "partitions: [{exchange: coinbase, symbol: AMP/USD, timeframe: 1m, history: 12h}]"
    daemons.run(practice, config, "--once")

    found = {int(row[0]) for row in stored(database, "coinbase", "AMP/USD", "1m")}
    gaps = rows(database, 'SELECT start, "end", state, asked FROM gaps')
    holes = {time for gap in gaps for time in range(gap.start, gap.end + 1, 60_000)}
    assert found.isdisjoint(holes)
    assert found | holes == set(range(min(found | holes), max(found) + 1, 60_000))
    assert {(gap.state, gap.asked) for gap in gaps} == {("found", 1)}


def test_a_kill_in_the_middle_costs_no_more_than_what_was_under_way(practice, daemons, database):
    before = practice.calls("binance", "klines")

    def asked():
        return practice.calls("binance", "klines") - before

    daemon = daemons.start(practice, LONG)
    until(lambda: asked() >= 5, "a backfill that is under way")
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    kept = len(stored(database, "binance", "ETH/USDT", "1m"))
    assert 0 < kept < 14_399

    status, said = daemons.run(practice, LONG, "--once")

    assert status == 0, said
    found = stored(database, "binance", "ETH/USDT", "1m")
    truth = practice.truth("binance", "ETH/USDT", "1m", found[0][0])
    assert len(found) >= 14_399
    assert found == truth[: len(found)]
    # 15 windows, two that were under way, and as many that the restart cut in two.
    assert 15 <= asked() <= 15 + 2 + 2


def test_it_keeps_up_with_every_close_and_stops_at_once(fast_practice, daemons, database):
    config = THREE.replace("10d", "2d").replace("12h", "2h")
    daemon = daemons.start(fast_practice, config)

    def newest_of_each():
        query = "SELECT max(timestamp) FROM ohlcv_data GROUP BY exchange, symbol, timeframe"
        return [row[0] for row in rows(database, query)]

    until(lambda: len(newest_of_each()) == 4, "a history of each")
    began = fast_practice.now()
    until(lambda: min(newest_of_each()) > began - HOUR, "a close of each")
    confirmed = "SELECT 1 FROM gaps WHERE state = 'confirmed_empty' AND asked = 3"
    until(lambda: rows(database, confirmed), "a hole that is confirmed")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(5) == 0

    for partition in PARTITIONS:
        found = stored(database, *partition)
        assert found == fast_practice.truth(*partition, since=found[0][0])[: len(found)]
    assert rows(database, "SELECT state FROM heartbeats") == [("stopped",)]
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
