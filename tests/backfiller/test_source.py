"""What becomes of each thing that an exchange, or the way to it, can do to a call: real ccxt, real HTTP."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from backfiller.planner import Span
from backfiller.source import Source
from common.clock import wall_now
from common.errors import ConfigurationError, RejectedError, TransientError
from common.exchange_failures import BannedError
from common.partition import Partition
from common.timeframe import Timeframe

HOUR = 3_600_000
SYMBOLS = {"binance": "BTC/USDT", "coinbase": "BTC/USD", "kraken": "BTC/USD"}
CANDLES = {"binance": "klines", "coinbase": "candles", "kraken": "OHLC"}
MARKETS = {"binance": "exchangeInfo", "coinbase": "products", "kraken": "AssetPairs"}
EACH = pytest.mark.parametrize("exchange", ["binance", "coinbase", "kraken"])


@asynccontextmanager
async def source_of(practice, exchange, timeout_s=5.0):
    source = Source(exchange, timeout_s=timeout_s, speed=1.0, environment=practice.environment)
    try:
        yield source
    finally:
        await source.close()


def window_of(practice):
    """Ten hours of yesterday, which every exchange still gives."""
    now = practice.now() // HOUR * HOUR
    return Span(now - 30 * HOUR, now - 21 * HOUR)


def ask(practice, exchange, *faults, timeout_s=5.0, symbol=None, window=None):
    """Asks for ten candles after the markets are known and the faults have been set."""

    async def asked():
        async with source_of(practice, exchange, timeout_s) as source:
            await source.markets()
            for fault in faults:
                practice.fail(exchange=exchange, endpoint=CANDLES[exchange], **fault)
            partition = Partition(exchange, symbol or SYMBOLS[exchange], Timeframe.H1)
            return await source.candles(partition, window or window_of(practice))

    return asyncio.run(asked())


@EACH
def test_a_window_is_answered_with_its_candles_as_the_exchange_knows_them(practice, exchange):
    window = window_of(practice)

    answer = ask(practice, exchange, window=window)

    truth = practice.truth(exchange, SYMBOLS[exchange], "1h", window.first)[:10]
    assert answer.content == truth
    assert answer.sent_at <= answer.arrived_at <= wall_now()


def status(number, body=None, **headers):
    told = {"kind": "status", "status": number, "headers": headers}
    return told if body is None else told | {"body": body}


# The rows of what can happen, each with the wait that it asks for; None: the back-off of any failure.
PASSING = {
    "429": (status(429, **{"Retry-After": "7"}), 7.0),
    "429 without a wait": (status(429), 10.0),
    "500": (status(500), None),
    "502": (status(502), None),
    "503": (status(503), None),
    "504": (status(504), None),
    "403 with HTML": (status(403), None),
    "reset": ({"kind": "drop"}, None),
    "reply lost": ({"kind": "lose_reply"}, None),
    "cut short": ({"kind": "cut"}, None),
    "HTML": ({"kind": "html"}, None),
    "truncated": ({"kind": "truncate"}, None),
    "null": ({"kind": "body", "body": "null"}, None),
}


@EACH
@pytest.mark.parametrize(("fault", "retry_after_s"), PASSING.values(), ids=PASSING)
def test_what_may_pass_is_transient_and_the_wait_that_was_asked_for_is_known(
    practice, exchange, fault, retry_after_s
):
    # aiohttp sends a GET again by itself when a warm connection is dropped once.
    with pytest.raises(TransientError) as caught:
        ask(practice, exchange, fault | {"count": 2})

    assert caught.value.retry_after_s == retry_after_s
    assert not isinstance(caught.value, BannedError)


OWN_WORDS = {
    "binance timeout": ("binance", status(400, {"code": -1007, "msg": "Timeout waiting."})),
    "binance maintenance": ("binance", status(503, {"code": 1, "msg": "under maintenance."})),
    "binance too many": ("binance", status(429, {"code": -1003, "msg": "Too many requests."})),
    "coinbase limit": ("coinbase", status(429, {"error": "rate_limit_exceeded", "message": ""})),
    "coinbase down": ("coinbase", status(503, {"error": "UNAVAILABLE", "message": "later"})),
    "kraken limit": ("kraken", {"kind": "body", "body": {"error": ["EAPI:Rate limit exceeded"]}}),
    "kraken lockout": (
        "kraken",
        {"kind": "body", "body": {"error": ["EGeneral:Temporary lockout"]}},
    ),
    "kraken down": ("kraken", {"kind": "body", "body": {"error": ["EService:Unavailable"]}}),
    "kraken busy": ("kraken", {"kind": "body", "body": {"error": ["EService:Busy"]}}),
    "kraken error": ("kraken", {"kind": "body", "body": {"error": ["EGeneral:Internal error"]}}),
}


@pytest.mark.parametrize(("exchange", "fault"), OWN_WORDS.values(), ids=OWN_WORDS)
def test_what_an_exchange_says_of_it_in_its_own_words_is_understood(practice, exchange, fault):
    with pytest.raises(TransientError):
        ask(practice, exchange, fault)


@EACH
@pytest.mark.parametrize(
    "body", [[], {}, [["a", "b"]], {"candles": [{}]}, {"error": [], "result": {}}, 7, "text"]
)
def test_nonsense_is_a_failed_call_or_holds_no_candle(practice, exchange, body):
    try:
        answer = ask(practice, exchange, {"kind": "body", "body": body})
    except TransientError:
        return
    assert all(None in row for row in answer.content)  # what is in it is judged row by row


@EACH
def test_a_ban_says_until_when(practice, exchange):
    until = wall_now() + 90_000
    body = {"code": -1003, "msg": f"Way too much request weight used; IP banned until {until}."}

    with pytest.raises(BannedError) as caught:
        ask(practice, exchange, status(418, body))

    assert caught.value.retry_after_s == pytest.approx(90, abs=8)


@EACH
@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_call_that_never_ends_is_ended(practice, exchange, kind):
    began = time.monotonic()

    with pytest.raises(TransientError):
        ask(practice, exchange, {"kind": kind}, timeout_s=0.5)

    assert time.monotonic() - began < 8


@EACH
def test_an_unknown_symbol_is_rejected(practice, exchange):
    with pytest.raises(RejectedError):
        ask(practice, exchange, symbol="NO/SUCH")


@EACH
def test_an_empty_list_of_markets_is_a_failed_call(practice, exchange):
    async def markets():
        async with source_of(practice, exchange) as source:
            empty: dict[str, object] = {"error": [], "result": {}} if exchange == "kraken" else {}
            practice.fail(
                exchange=exchange, endpoint=MARKETS[exchange], kind="body", body=empty, count=3
            )
            await source.markets()

    with pytest.raises(TransientError):
        asyncio.run(markets())


@EACH
def test_the_clock_is_the_exchange_s_and_never_ahead(practice, exchange):
    async def clock():
        async with source_of(practice, exchange) as source:
            asked_at = wall_now()
            return await source.clock(), wall_now() - asked_at

    read, took = asyncio.run(clock())

    before, exchanges, after = read.now(), practice.now(), read.now()
    seconds_only = 1000 if exchange == "kraken" else 0
    assert before <= exchanges + 2
    assert exchanges - after < took + seconds_only + 100


@EACH
@pytest.mark.parametrize("body", [[], {}, ""])
def test_an_answer_that_is_no_time_is_a_failed_call(practice, exchange, body):
    async def clock():
        async with source_of(practice, exchange) as source:
            practice.fail(exchange=exchange, endpoint="[tT]ime", kind="body", body=body, count=3)
            await source.clock()

    with pytest.raises(TransientError):
        asyncio.run(clock())


def test_only_a_practice_exchange_has_a_fast_clock():
    with pytest.raises(ConfigurationError, match="CLOCK_SPEED: expected 1 for the real binance"):
        Source("binance", timeout_s=5, speed=60.0, environment={})


@pytest.mark.parametrize(
    ("exchange", "most", "has_4h"),
    [
        ("okx", 300, True),
        ("bitstamp", 1000, True),
        ("bitfinex", 10_000, True),
        ("zaif", 500, None),
    ],
)
def test_any_exchange_of_ccxt_has_the_page_and_the_timeframes_that_ccxt_knows_of(
    exchange, most, has_4h
):
    source = Source(exchange, timeout_s=5, speed=1.0, environment={})
    try:
        assert source.most_candles == most
        assert (Timeframe.H4 in source.timeframes) is bool(has_4h)
        assert (source.timeframes == []) is (has_4h is None)
        assert source.reach(Timeframe.H1, 0) is None
    finally:
        asyncio.run(source.close())


REFUSALS = {
    "binance": ("ticker/24hr", status(400, {"code": -1121, "msg": "Invalid symbol."})),
    "coinbase": ("products", status(404, {"error": "NOT_FOUND", "message": "no such product"})),
    "kraken": ("Ticker", {"kind": "body", "body": {"error": ["EQuery:Unknown asset pair"]}}),
}


@pytest.mark.parametrize(("exchange", "refusal"), REFUSALS.items(), ids=REFUSALS)
def test_a_ticker_that_is_refused_is_rejected(practice, exchange, refusal):
    endpoint, fault = refusal

    async def tickers():
        async with source_of(practice, exchange) as source:
            await source.markets()
            practice.fail(exchange=exchange, endpoint=endpoint, **fault)
            await source.tickers([SYMBOLS[exchange]])

    with pytest.raises(RejectedError):
        asyncio.run(tickers())
