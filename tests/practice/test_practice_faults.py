from __future__ import annotations

import urllib.error
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from tests.practice.running import Practice

SYMBOLS = {"binance": "BTC/USDT", "coinbase": "BTC/USD", "kraken": "BTC/USD"}
ENDPOINTS = {"binance": "klines", "coinbase": "candles", "kraken": "OHLC"}
EACH = pytest.mark.parametrize("exchange", list(SYMBOLS))
FOREVER = {"count": None}


def candles_of(
    practice: Practice, exchange: str, symbol: str | None = None, *, timeout_ms: int | None = None
) -> Any:
    since = practice.now_ms() - 600_000

    async def ask(client: Any) -> Any:
        await client.load_markets()
        patience_ms, client.timeout = client.timeout, timeout_ms or client.timeout
        try:
            return await client.fetch_ohlcv(symbol or SYMBOLS[exchange], "1m", since, 5)
        finally:
            client.timeout = patience_ms

    return practice.asked(exchange, ask)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 429}, ccxt.DDoSProtection),
        ({"kind": "status", "status": 418}, ccxt.DDoSProtection),
        ({"kind": "status", "status": 500}, ccxt.ExchangeNotAvailable),
        ({"kind": "status", "status": 502}, ccxt.ExchangeNotAvailable),
        ({"kind": "status", "status": 503}, ccxt.ExchangeNotAvailable),
        ({"kind": "status", "status": 403}, ccxt.ExchangeNotAvailable),
        ({"kind": "status", "status": 504}, ccxt.RequestTimeout),
        ({"kind": "hang"}, ccxt.RequestTimeout),
        ({"kind": "drip"}, ccxt.RequestTimeout),
        # Two, because aiohttp sends a GET again after one reset.
        ({"kind": "drop", "count": 2}, ccxt.ExchangeNotAvailable),
        ({"kind": "lose_reply", "count": 2}, ccxt.ExchangeNotAvailable),
        ({"kind": "cut"}, ccxt.ExchangeError),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
@EACH
def test_ccxt_makes_of_a_fault_what_it_makes_of_the_real_one(
    practice: Practice,
    exchange: str,
    fault: dict[str, Any],
    error: type[Exception],
) -> None:
    if fault.get("status") == 429 and exchange != "binance":  # from a page without kraken's words
        error = ccxt.RateLimitExceeded
    practice.suffer(endpoint=ENDPOINTS[exchange], **fault)
    timeout_ms = 300 if fault["kind"] in {"hang", "drip"} else None
    with pytest.raises(ccxt.BaseError) as raised:
        candles_of(practice, exchange, timeout_ms=timeout_ms)
    assert raised.type is error
    assert practice.ask("faults") == []
    assert candles_of(practice, exchange)


@EACH
@pytest.mark.parametrize("kind", ["drop", "lose_reply", "cut"])
def test_the_synchronous_ccxt_calls_every_broken_connection_a_network_error(
    practice: Practice, exchange: str, kind: str
) -> None:
    client = practice.synchronous_client(exchange)
    client.options["fetchTime"] = "v2"  # at coinbase the version that needs no key
    practice.suffer(kind=kind, endpoint="time", exchange=exchange)
    practice.suffer(kind=kind, endpoint="Time", exchange=exchange)
    with pytest.raises(ccxt.NetworkError) as raised:
        client.fetch_time()
    assert raised.type is ccxt.NetworkError


@EACH
@pytest.mark.parametrize("kind", ["truncate", "html", "body"])
def test_ccxt_takes_a_spoiled_answer_with_status_200_for_no_candles(
    practice: Practice, exchange: str, kind: str
) -> None:
    practice.suffer(kind=kind, endpoint=ENDPOINTS[exchange], body=[] if kind == "body" else None)
    assert candles_of(practice, exchange) == []


@EACH
def test_ccxt_takes_truncated_answers_for_no_prices_and_no_markets(
    practice: Practice, exchange: str
) -> None:
    async def ask(client: Any) -> Any:
        practice.suffer(kind="truncate", exchange=exchange, **FOREVER)
        ticker = await client.fetch_ticker(SYMBOLS[exchange])
        return ticker["last"], await client.load_markets(reload=True)

    assert practice.freshly_asked(exchange, ask) == (None, {})


def test_maintenance_and_a_lost_backend_are_told_in_the_exchange_s_own_words(
    practice: Practice,
) -> None:
    down = {"code": 1, "msg": "System is under maintenance."}
    practice.suffer(kind="status", status=503, body=down, endpoint="klines")
    with pytest.raises(ccxt.OnMaintenance):
        candles_of(practice, "binance")
    practice.suffer(kind="status", status=400, body={"code": -1007, "msg": "?"}, endpoint="klines")
    with pytest.raises(ccxt.RequestTimeout):
        candles_of(practice, "binance")


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ("EAPI:Rate limit exceeded", ccxt.DDoSProtection),
        ("EGeneral:Temporary lockout", ccxt.DDoSProtection),
        ("EService:Unavailable", ccxt.ExchangeNotAvailable),
        ("EGeneral:Internal error", ccxt.ExchangeNotAvailable),
    ],
)
def test_kraken_s_own_words_count_whatever_the_status(
    practice: Practice, told: str, error: type[Exception]
) -> None:
    for kind in ({"kind": "body"}, {"kind": "status", "status": 429}):
        practice.suffer(exchange="kraken", endpoint="OHLC", body={"error": [told]}, **kind)
        with pytest.raises(ccxt.BaseError) as raised:
            candles_of(practice, "kraken")
        assert raised.type is error


def test_a_ban_can_say_how_long_to_wait(practice: Practice) -> None:
    practice.suffer(kind="status", status=429, headers={"Retry-After": "7"}, endpoint="klines")

    async def banned(client: Any) -> Any:
        with pytest.raises(ccxt.DDoSProtection):
            await client.fetch_ohlcv("BTC/USDT")
        return client.last_response_headers["Retry-After"]

    assert practice.freshly_asked("binance", banned) == "7"


def test_a_fault_strikes_only_the_exchange_and_the_market_that_it_names(practice: Practice) -> None:
    practice.suffer(kind="html", exchange="binance", market="ETHUSDT", endpoint="klines", **FOREVER)
    assert candles_of(practice, "coinbase")
    assert candles_of(practice, "binance")
    assert candles_of(practice, "binance", "ETH/USDT") == []


def test_a_fault_strikes_as_often_as_it_says(practice: Practice) -> None:
    practice.suffer(kind="status", status=500, endpoint="ticker*", count=2)
    for left in (1, 0):
        with pytest.raises(ccxt.ExchangeNotAvailable):
            practice.asked("binance", lambda client: client.fetch_ticker("BTC/USDT"))
        assert [fault["count"] for fault in practice.ask("faults")] == [left][:left]
    assert practice.asked("binance", lambda client: client.fetch_ticker("BTC/USDT"))


def test_a_fault_with_a_probability_strikes_that_share_of_the_requests(practice: Practice) -> None:
    practice.suffer(kind="html", endpoint="klines", probability=0.5, **FOREVER)
    answers = [candles_of(practice, "binance") for _ in range(40)]
    assert 8 < answers.count([]) < 32


def test_faults_can_be_taken_back(practice: Practice) -> None:
    practice.suffer(kind="hang", **FOREVER)
    assert practice.ask("faults")[0]["kind"] == "hang"
    practice.ask("faults", "DELETE")
    assert candles_of(practice, "binance")


@pytest.mark.parametrize(
    "fault",
    [
        3,
        {},
        {"kindd": "hang"},
        {"kind": "earthquake"},
        {"kind": "hang", "count": "two"},
        {"kind": "hang", "timeframe": "1m"},
        {"kind": "late", "endpoint": "klines"},
        {"kind": "bad_rows", "way": "odd"},
        {"kind": "empty", "probability": 2},
    ],
)
def test_a_fault_that_is_not_understood_is_refused(practice: Practice, fault: object) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        practice.ask("faults", "POST", fault)


def test_calls_are_counted_by_exchange_and_endpoint(practice: Practice) -> None:
    candles_of(practice, "coinbase")
    before = practice.ask("calls")["coinbase"]["candles"]
    candles_of(practice, "coinbase")
    assert practice.ask("calls")["coinbase"]["candles"] == before + 1


@pytest.mark.parametrize(
    "query", ["exchange=nope", "exchange=binance&symbol=X/Y", "exchange=binance&symbol=BTC/USDT"]
)
def test_a_question_for_the_truth_that_is_not_understood_is_refused(
    practice: Practice, query: str
) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        practice.ask(f"candles?{query}")
