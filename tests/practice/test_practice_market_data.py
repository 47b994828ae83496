from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from practice.markets import market_of
from practice.prices import GeneratedPath
from practice.tape import Window, rows_of
from practice.venue import Listing
from tests.practice.running import Practice, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE, HOUR = 60_000, 3_600_000
SOME_DAY = 1_640_995_200_000
EACH = pytest.mark.parametrize(
    ("exchange", "symbol"),
    [("binance", "BTC/USDT"), ("coinbase", "BTC/USD"), ("kraken", "BTC/USD")],
)


@EACH
def test_ccxt_loads_markets_with_their_steps_and_minimums(
    practice: Practice, exchange: str, symbol: str
) -> None:
    market = practice.asked(exchange, lambda client: client.load_markets())[symbol]
    assert market["active"]
    assert market["precision"]["amount"] == 0.00001
    assert market["precision"]["price"] == 0.01
    assert market["limits"]["cost"]["min"] == {"binance": 5, "coinbase": 1, "kraken": 0.5}[exchange]


@EACH
def test_the_ticker_has_a_spread_around_its_last_price(
    practice: Practice, exchange: str, symbol: str
) -> None:
    ticker = practice.asked(exchange, lambda client: client.fetch_ticker(symbol))
    assert ticker["bid"] < ticker["last"] < ticker["ask"]
    assert ticker["ask"] / ticker["bid"] < 1.001


@EACH
def test_several_tickers_come_with_one_call(practice: Practice, exchange: str, symbol: str) -> None:
    practice.asked(exchange, lambda client: client.load_markets())
    before = sum(practice.ask("calls")[exchange].values())
    other = symbol.replace("BTC", "ETH")
    tickers = practice.asked(exchange, lambda client: client.fetch_tickers([symbol, other]))
    assert set(tickers) == {symbol, other}
    assert all(ticker["last"] > 0 for ticker in tickers.values())
    assert sum(practice.ask("calls")[exchange].values()) == before + 1


@EACH
def test_the_time_is_market_time(practice: Practice, exchange: str, symbol: str) -> None:
    practice.asked(exchange, lambda client: client.load_markets())
    before = practice.now_ms()
    told = practice.asked(exchange, lambda client: client.fetch_time())
    assert before // 1000 * 1000 <= told <= practice.now_ms()


def test_binance_gives_500_candles_unless_told_and_never_more_than_1000(practice: Practice) -> None:
    async def counts(client: Any) -> list[int]:
        since = await client.fetch_time() - 2000 * HOUR
        return [
            len(await client.fetch_ohlcv("BTC/USDT", "1h", since, limit))
            for limit in (None, 10, 1000, 5000)
        ]

    assert practice.asked("binance", counts) == [500, 10, 1000, 1000]
    raw = practice.asked(
        "binance",
        lambda client: client.public_get_klines(
            {"symbol": "BTCUSDT", "interval": "1m", "limit": 5000}
        ),
    )
    assert len(raw) == 1000


def test_coinbase_answers_a_window_of_300_and_refuses_one_of_more_than_350(
    practice: Practice,
) -> None:
    now = practice.now_ms()
    since = now - 500 * HOUR
    rows = practice.asked(
        "coinbase", lambda client: client.fetch_ohlcv("BTC/USD", "1h", since, 1000)
    )
    assert len(rows) == 300
    assert since <= rows[0][0] < since + HOUR
    with pytest.raises(ccxt.BadRequest, match="less than 350"):
        practice.asked(
            "coinbase",
            lambda client: client.fetch_ohlcv("BTC/USD", "1h", since, 300, {"until": now}),
        )


def test_coinbase_has_no_four_hour_candles(practice: Practice) -> None:
    since = practice.now_ms() - 10 * HOUR
    with pytest.raises(ccxt.BadRequest, match="granularity"):
        practice.asked("coinbase", lambda client: client.fetch_ohlcv("BTC/USD", "4h", since, 2))


def test_binance_refuses_an_interval_and_a_symbol_that_it_does_not_have(practice: Practice) -> None:
    with pytest.raises(ccxt.BadRequest, match="Invalid interval"):
        practice.asked("binance", lambda client: client.fetch_ohlcv("BTC/USDT", "7m"))
    with pytest.raises(ccxt.BadSymbol):
        practice.asked(
            "binance", lambda client: client.public_get_klines({"symbol": "NOPE", "interval": "1m"})
        )


@pytest.fixture(scope="module")
def quick() -> Iterator[Practice]:
    """An exchange on which a minute passes in half a second."""
    exchange = Practice("--speed", "120", "--start", "2026-01-05T00:00:00Z")
    yield exchange
    exchange.stop()


@EACH
def test_the_open_candle_comes_last_changes_and_is_the_truth_once_it_is_closed(
    quick: Practice, exchange: str, symbol: str
) -> None:
    async def newest(client: Any) -> Any:
        since = quick.now_ms() - 5 * MINUTE
        return (await client.fetch_ohlcv(symbol, "1m", since, 10))[-1]

    first = quick.asked(exchange, newest)
    assert quick.now_ms() - first[0] < 2 * MINUTE
    later = eventually(lambda: (seen := quick.asked(exchange, newest)) != first and seen)
    seen = later
    while seen[0] == later[0]:
        later, seen = seen, quick.asked(exchange, newest)
    ((_, opened, high, low, _, volume),) = quick.truth(
        exchange, symbol, "1m", since=later[0], limit=1
    )
    assert later[1] == opened
    assert low <= later[3] <= later[2] <= high
    assert later[5] <= volume
    rows = quick.asked(exchange, lambda client: client.fetch_ohlcv(symbol, "1m", later[0], 1))
    assert rows == quick.truth(exchange, symbol, "1m", since=later[0], limit=1)


@EACH
@pytest.mark.parametrize("timeframe", ["1m", "15m", "1d"])
def test_closed_candles_are_the_truth_to_the_last_digit(
    practice: Practice, exchange: str, symbol: str, timeframe: str
) -> None:
    length = {"1m": MINUTE, "15m": 15 * MINUTE, "1d": 24 * HOUR}[timeframe]
    since = practice.now_ms() - 200 * length
    truth = practice.truth(exchange, symbol, timeframe, since=since, limit=100)
    rows = practice.asked(
        exchange, lambda client: client.fetch_ohlcv(symbol, timeframe, since, 100)
    )
    assert rows == truth


def test_a_minute_without_a_trade_is_a_gap_on_coinbase(practice: Practice) -> None:
    since = practice.now_ms() - 250 * MINUTE
    rows = practice.asked(
        "coinbase", lambda client: client.fetch_ohlcv("AMP/USD", "1m", since, 200)
    )
    assert 40 < len(rows) < 160
    assert rows == practice.truth("coinbase", "AMP/USD", "1m", since=since, limit=len(rows))
    assert all(row[5] > 0 for row in rows)


@pytest.mark.parametrize(
    ("exchange", "symbol", "timeframe"),
    [("binance", "BTC/USDT", "1m"), ("coinbase", "AMP/USD", "5m"), ("kraken", "SOL/USD", "1h")],
)
def test_another_process_with_the_same_seed_shows_equal_candles(
    practice: Practice, exchange: str, symbol: str, timeframe: str
) -> None:
    market = market_of(exchange, symbol)
    listing = Listing(market, GeneratedPath(market, exchange, seed=1))
    length = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR}[timeframe]
    for since, limit in ((SOME_DAY, 2000), (SOME_DAY - 999 * length, 500)):
        window = Window(
            listing,
            length,
            since,
            since + (limit - 1) * length,
            practice.now_ms(),
            keeps_silence=exchange != "coinbase",
        )
        rows = [[row.opens_ms, *(float(text or 0) for text in row[1:])] for row in rows_of(window)]
        truth = practice.truth(exchange, symbol, timeframe, since=since, limit=limit)
        assert truth[: len(rows)] == rows


@pytest.mark.parametrize(
    ("exchange", "symbol"), [("coinbase", "BTC/USD"), ("kraken", "BTC/USD"), ("kraken", "BTC/USDT")]
)
def test_one_asset_is_worth_nearly_but_not_quite_the_same_on_two_exchanges(
    practice: Practice, exchange: str, symbol: str
) -> None:
    since = practice.now_ms() - 100 * HOUR
    here = practice.truth("binance", "BTC/USDT", "1h", since=since)
    there = practice.truth(exchange, symbol, "1h", since=since)
    apart = [abs(one[4] / other[4] - 1) for one, other in zip(here, there, strict=True)]
    assert 0 < max(apart) < 0.002


@EACH
def test_the_synchronous_ccxt_can_use_it_too(
    practice: Practice, exchange: str, symbol: str
) -> None:
    client = practice.synchronous_client(exchange)
    assert client.fetch_ticker(symbol)["last"] > 0
    since = practice.now_ms() - 10 * HOUR
    rows = client.fetch_ohlcv(symbol, "1h", since, 5)
    assert rows == practice.truth(exchange, symbol, "1h", since=since, limit=5)


def test_a_question_for_years_lets_nobody_else_wait(practice: Practice) -> None:
    with ThreadPoolExecutor(1) as aside:
        years = aside.submit(practice.truth, "binance", "LTC/USDT", "1d", since=SOME_DAY, limit=700)
        eventually(years.running)
        begun = time.monotonic()
        practice.ask("health")
        took_s = time.monotonic() - begun
        assert len(years.result()) == 700
    assert took_s < (time.monotonic() - begun) / 2


def test_each_exchange_has_enough_markets_for_a_long_rehearsal(practice: Practice) -> None:
    markets = practice.ask("health")["markets"]
    assert set(markets) == {"binance", "coinbase", "kraken"}
    assert all(len(symbols) >= 10 for symbols in markets.values())
