from __future__ import annotations

import urllib.error
from collections import Counter
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from practice.fault import KINDS, MISPRINTS
from practice.weather import Forecast, Weather

if TYPE_CHECKING:
    from practice.fault import Fault
    from tests.practice.running import Practice

MINUTE = 60_000


def weather(**forecast: Any) -> Weather:
    found = Weather()
    found.change(Forecast.parse(forecast))
    return found


def suffered(
    found: Weather, market: str, requests: int, *, has_candles: bool = True
) -> list[Fault | None]:
    place = ("binance", "klines", market)
    return [found.next_for(*place, has_candles=has_candles) for _ in range(requests)]


def test_the_share_of_requests_that_suffer_is_the_rate_and_every_kind_comes() -> None:
    faults = suffered(weather(rate=0.2, seed=5), "BTCUSDT", 3000)
    kinds = Counter(fault.kind for fault in faults if fault)
    assert 500 < kinds.total() < 700
    assert set(kinds) == set(KINDS)


def test_the_same_seed_strikes_the_same_requests_whatever_is_asked_in_between() -> None:
    one, two, other = (weather(rate=0.3, seed=seed) for seed in (5, 5, 6))
    expected = suffered(one, "BTCUSDT", 300)
    found = []
    for _ in range(300):
        suffered(two, "ETHUSDT", 2)
        found += suffered(two, "BTCUSDT", 1)
    assert found == expected
    assert suffered(other, "BTCUSDT", 300) != expected


def test_a_request_for_no_candles_suffers_nothing_in_its_candles() -> None:
    faults = suffered(weather(rate=1.0), "BTCUSDT", 200, has_candles=False)
    assert not {fault.kind for fault in faults if fault} & set(MISPRINTS)
    assert suffered(weather(rate=1.0, kinds=["late"]), "", 1, has_candles=False) == [None]


@pytest.mark.parametrize(
    ("exchange", "symbol"),
    [("binance", "BTC/USDT"), ("coinbase", "BTC/USD"), ("kraken", "BTC/USD")],
)
def test_ccxt_meets_no_weather_with_anything_but_its_own_errors_and_the_end_of_it_is_the_truth(
    practice: Practice, exchange: str, symbol: str
) -> None:
    quick = [kind for kind in KINDS if kind not in {"hang", "drip", "delay"}]
    since = practice.now_ms() // MINUTE * MINUTE - 10 * MINUTE

    def candles() -> Any:
        return practice.asked(exchange, lambda client: client.fetch_ohlcv(symbol, "1m", since, 8))

    expected = candles()
    practice.ask("weather", "POST", {"rate": 1, "seed": 3, "kinds": quick, "exchange": exchange})
    seen: Counter[str] = Counter()
    for _ in range(40):
        try:
            seen["right" if candles() == expected else "wrong"] += 1
        except ccxt.BaseError as error:
            seen[type(error).__name__] += 1
    told = practice.ask("weather")
    assert seen["wrong"] > 5
    assert seen["ExchangeNotAvailable"] > 2
    assert sum(told["suffered"].values()) == told["requests"] >= 40
    assert practice.ask("weather", "DELETE") is None
    assert practice.ask("weather") is None
    assert candles() == expected == practice.truth(exchange, symbol, "1m", since=since, limit=8)


def test_weather_comes_to_the_exchange_and_endpoint_that_it_names(practice: Practice) -> None:
    practice.ask("weather", "POST", {"rate": 1, "kinds": ["empty"], "endpoint": "kline*"})
    assert practice.asked("binance", lambda client: client.fetch_ohlcv("BTC/USDT")) == []
    assert practice.asked("kraken", lambda client: client.fetch_ohlcv("BTC/USD"))
    assert practice.asked("binance", lambda client: client.fetch_ticker("BTC/USDT"))["last"]


@pytest.mark.parametrize(
    "forecast",
    [{}, {"rate": 2}, {"rate": "often"}, {"rate": 1, "kinds": ["frogs"]}, {"rate": 1, "ratee": 1}],
)
def test_weather_that_is_not_understood_is_refused(practice: Practice, forecast: object) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        practice.ask("weather", "POST", forecast)
