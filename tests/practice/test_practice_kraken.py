from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.practice.running import Practice

MINUTE, HOUR = 60_000, 3_600_000


def asked(practice: Practice, question: Callable[[Any], Any]) -> Any:
    return practice.asked("kraken", question)


def test_markets_have_the_names_that_kraken_gives_them(practice: Practice) -> None:
    markets = asked(practice, lambda client: client.load_markets())
    names = {symbol: markets[symbol]["id"] for symbol in ("BTC/USD", "ETH/USD", "SOL/USD")}
    assert names == {"BTC/USD": "XXBTZUSD", "ETH/USD": "XETHZUSD", "SOL/USD": "SOLUSD"}
    assert [markets[symbol]["id"] for symbol in ("BTC/USDT", "ETH/USDT")] == ["XBTUSDT", "ETHUSDT"]
    assert [markets[symbol]["id"] for symbol in ("DOGE/USD", "ADA/USD")] == ["XDGUSD", "ADAUSD"]


@pytest.mark.parametrize("name", ["XXBTZUSD", "XBTUSD", "XBT/USD"])
def test_a_pair_is_known_by_each_of_its_names(practice: Practice, name: str) -> None:
    answer = asked(practice, lambda client: client.public_get_ohlc({"pair": name}))
    assert list(answer["result"]) == ["XXBTZUSD", "last"]


def test_no_more_than_the_newest_720_candles_come_whatever_since(practice: Practice) -> None:
    now = practice.now_ms()

    def rows_since(since: int | None) -> Any:
        return asked(practice, lambda client: client.fetch_ohlcv("BTC/USD", "1h", since))

    for old in (None, 0, now - 5000 * HOUR):
        rows = rows_since(old)
        assert len(rows) == 720
        assert now - HOUR < rows[-1][0] <= practice.now_ms()
    since = now - 5 * HOUR
    rows = rows_since(since)
    assert since <= rows[0][0] < since + HOUR


def test_the_open_candle_comes_even_if_only_later_ones_are_asked_for(practice: Practice) -> None:
    later = (practice.now_ms() + HOUR) // 1000
    answer = asked(
        practice, lambda client: client.public_get_ohlc({"pair": "XBTUSD", "since": later})
    )
    (row,) = answer["result"]["XXBTZUSD"]
    assert row[0] - answer["result"]["last"] == 60


def test_a_minute_without_a_trade_is_a_flat_candle_without_volume(practice: Practice) -> None:
    since = practice.now_ms() - 200 * MINUTE
    rows = asked(practice, lambda client: client.fetch_ohlcv("OXT/USD", "1m", since, 150))
    silent = [row for row in rows if row[5] == 0]
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[0][0] + 150 * MINUTE, MINUTE))
    assert 40 < len(silent) < 140
    assert all(len(set(row[1:5])) == 1 for row in silent)
    assert rows == practice.truth("kraken", "OXT/USD", "1m", since=since, limit=150)


def test_tickers_do_not_say_of_when_they_are(practice: Practice) -> None:
    tickers = asked(practice, lambda client: client.fetch_tickers())
    assert "ETH/USDT" in tickers
    assert {ticker["timestamp"] for ticker in tickers.values()} == {None}


def test_there_are_no_candles_of_twelve_hours(practice: Practice) -> None:
    with pytest.raises(ccxt.BadRequest, match="EGeneral:Invalid arguments"):
        asked(practice, lambda client: client.fetch_ohlcv("BTC/USD", "12h"))


@pytest.mark.parametrize(
    ("query", "error", "text"),
    [
        ({"pair": "NOPE"}, ccxt.ExchangeError, "EQuery:Unknown asset pair"),
        ({}, ccxt.ExchangeError, "EQuery:Unknown asset pair"),
        ({"pair": "XBTUSD", "since": "soon"}, ccxt.BadRequest, "EGeneral:Invalid arguments"),
        ({"pair": "XBTUSD", "interval": "7"}, ccxt.BadRequest, "EGeneral:Invalid arguments"),
    ],
)
def test_what_kraken_does_not_understand_is_refused_in_its_words(
    practice: Practice, query: dict[str, str], error: type[Exception], text: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=text) as raised:
        asked(practice, lambda client: client.public_get_ohlc(query))
    assert raised.type is error


def test_the_exchange_says_that_it_is_open(practice: Practice) -> None:
    assert asked(practice, lambda client: client.fetch_status())["status"] == "ok"
