"""Requests that no client sends: the practice exchange answers with an error of its own, and goes on."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import strange
from tests.fuzz.profile import count, examples
from tests.practice.running import Practice

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATHS = (
    "binance/api/v3/klines", "binance/api/v3/ticker/24hr", "binance/api/v3/ticker/bookTicker", "binance/api/v3/exchangeInfo",
    "binance/api/v3/order", "binance/api/v3/account", "binance/api/v3/myTrades", "kraken/0/public/OHLC",
    "kraken/0/public/Ticker", "kraken/0/private/AddOrder", "kraken/0/private/Balance", "practice/candles",
    "coinbase/api/v3/brokerage/market/products/BTC-USD/candles", "coinbase/api/v3/brokerage/market/products",
    "coinbase/api/v3/brokerage/orders", "coinbase/api/v3/brokerage/accounts", "practice/faults", "practice/weather",
)  # fmt: skip
_NAMES = (
    "symbol", "symbols", "interval", "startTime", "endTime", "limit", "pair", "since", "start", "end", "granularity",
    "product_id", "product_ids", "exchange", "timeframe", "nonce", "timestamp", "recvWindow", "signature", "cursor", "asset",
)  # fmt: skip
_KINDS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data",
)
_KNOWN = ("BTCUSDT", "BTC-USD", "XBTUSD", "BTC/USDT", "binance", "1m", "ONE_MINUTE", "60", "1", "0")


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    found = Practice("--start", "2025-06-01T00:00:30Z")
    yield found
    found.stop()


@st.composite
def _requests(draw: st.DrawFn) -> tuple[str, str, bytes, str]:
    """A method, a path with its query, a body and what that is said to be."""
    path = draw(st.one_of(st.sampled_from(_PATHS), strange.words.map(_quoted)))
    values = st.one_of(st.sampled_from(_KNOWN), strange.words)
    query = draw(st.dictionaries(st.sampled_from(_NAMES), values, max_size=5))
    named = {name: value[:2000] for name, value in query.items()}
    body = draw(st.one_of(st.just(b""), st.binary(max_size=20), strange.structures.map(_as_json)))
    method = draw(st.sampled_from(("GET", "GET", "POST", "DELETE", "PUT")))
    return (
        method,
        f"/{path}?{urlencode(named, errors='replace')}",
        body,
        draw(st.sampled_from(_KINDS)),
    )


def _quoted(word: str) -> str:
    return quote(word[:80], errors="replace")


def _as_json(structure: object) -> bytes:
    return json.dumps(structure, default=str).encode("utf-8", "replace")


@examples(120)
@given(request_=_requests())
def test_any_request_is_answered_with_an_error_of_the_exchange(practice, request_):
    count("requests to the practice exchange")
    status, _ = _asked(practice, *request_)
    assert status not in {500, 501}


@pytest.mark.parametrize(
    ("path", "most"), [("/binance/api/v3/order", 1 << 20), ("/practice/faults", 1 << 20)]
)
def test_a_request_of_more_than_a_megabyte_is_refused(practice, path, most):
    status, _ = _asked(
        practice, "POST", path, b"x" * (most + 1000), "application/x-www-form-urlencoded"
    )
    assert status == 413


def test_a_request_with_a_line_of_a_hundred_kilobytes_is_refused(practice):
    status, _ = _asked(
        practice, "GET", f"/binance/api/v3/klines?symbol={'x' * 100_000}", b"", "text/plain"
    )
    assert status in {400, 414}


def test_a_form_of_parts_is_no_form_of_an_exchange(practice):
    for path in (
        "/coinbase/api/v3/brokerage/orders",
        "/binance/api/v3/order",
        "/kraken/0/private/AddOrder",
    ):
        status, _ = _asked(practice, "POST", path, b"", "multipart/form-data")
        assert status == 415


def _asked(practice: Practice, method: str, path: str, body: bytes, kind: str) -> tuple[int, bytes]:
    url = urlsplit(practice.url)
    assert url.hostname is not None
    connection = http.client.HTTPConnection(url.hostname, url.port or 0, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
