"""What becomes of each thing that an exchange, or the way to it, can do to a call: real ccxt, real HTTP."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from backfiller.failures import BannedError, NoAnswerError
from backfiller.planner import Span
from backfiller.source import Source
from common.clock import wall_now
from common.errors import ConfigurationError, RejectedError, TransientError
from common.partition import Partition
from common.timeframe import Timeframe

HOUR = 3_600_000
BTC = {
    "binance": Partition("binance", "BTC/USDT", Timeframe.H1),
    "coinbase": Partition("coinbase", "BTC/USD", Timeframe.H1),
}
CANDLES = {"binance": "klines", "coinbase": "candles"}
WINDOW = Span(486_000 * HOUR, 486_009 * HOUR)
BOTH = pytest.mark.parametrize("exchange", ["binance", "coinbase"])


@asynccontextmanager
async def source_of(practice, exchange, timeout_s=5.0):
    source = Source(exchange, timeout_s=timeout_s, speed=1.0, environment=practice.environment)
    try:
        yield source
    finally:
        await source.close()


def ask(practice, exchange, timeout_s=5.0, partition=None):
    """Asks for ten candles after the markets are known and any faults have been set."""

    async def asked(fault):
        async with source_of(practice, exchange, timeout_s) as source:
            await source.markets()
            if fault:
                practice.fail(exchange=exchange, endpoint=CANDLES[exchange], **fault)
            return await source.candles(partition or BTC[exchange], WINDOW)

    return lambda **fault: asyncio.run(asked(fault))


@BOTH
def test_a_window_is_answered_with_its_candles_as_the_exchange_knows_them(practice, exchange):
    partition = BTC[exchange]

    answer = ask(practice, exchange)()

    truth = practice.truth(exchange, partition.symbol, "1h", WINDOW.first)[:10]
    assert answer.content == truth
    assert answer.sent_at <= answer.arrived_at <= wall_now()


@BOTH
@pytest.mark.parametrize(
    ("fault", "retry_after_s"),
    [
        ({"kind": "status", "status": 500}, None),
        ({"kind": "status", "status": 503}, None),
        ({"kind": "status", "status": 403}, None),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}, 7.0),
        ({"kind": "drop"}, None),
        ({"kind": "cut"}, None),
    ],
    ids=["500", "503", "403", "429", "drop", "cut"],
)
def test_what_may_pass_is_transient_and_the_wait_that_was_asked_for_is_known(
    practice, exchange, fault, retry_after_s
):
    # aiohttp sends a GET again by itself when a warm connection is dropped once.
    with pytest.raises(TransientError) as caught:
        ask(practice, exchange)(count=2, **fault)

    assert caught.value.retry_after_s == retry_after_s


@BOTH
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html"},
        {"kind": "truncate"},
        {"kind": "body", "body": "null"},
        {"kind": "body", "body": [["a", "b"]]},
    ],
    ids=["html", "truncated", "null", "nonsense"],
)
def test_an_answer_that_is_no_answer_is_a_failed_call_or_holds_no_candle(practice, exchange, fault):
    try:
        answer = ask(practice, exchange)(**fault)
    except NoAnswerError:
        return
    assert fault["kind"] == "body"  # JSON: what is in it is judged row by row
    assert all(None in row for row in answer.content)


@BOTH
def test_a_ban_says_until_when(practice, exchange):
    until = wall_now() + 90_000
    body = {"code": -1003, "msg": f"Way too much request weight used; IP banned until {until}."}

    with pytest.raises(BannedError) as caught:
        ask(practice, exchange)(kind="status", status=418, body=body)

    assert caught.value.retry_after_s == pytest.approx(90, abs=5)


@BOTH
@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_call_that_never_ends_is_ended(practice, exchange, kind):
    began = time.monotonic()

    with pytest.raises(TransientError):
        ask(practice, exchange, timeout_s=0.5)(kind=kind)

    assert time.monotonic() - began < 5


@BOTH
def test_an_unknown_symbol_is_rejected(practice, exchange):
    with pytest.raises(RejectedError):
        ask(practice, exchange, partition=Partition(exchange, "NO/SUCH", Timeframe.H1))()


@BOTH
def test_an_empty_list_of_markets_is_a_failed_call(practice, exchange):
    async def markets():
        async with source_of(practice, exchange) as source:
            endpoint = {"binance": "exchangeInfo", "coinbase": "products"}[exchange]
            practice.fail(exchange=exchange, endpoint=endpoint, kind="body", body={}, count=3)
            await source.markets()

    with pytest.raises(TransientError):
        asyncio.run(markets())


@BOTH
def test_the_clock_is_the_exchange_s_to_the_millisecond_and_never_ahead(practice, exchange):
    async def clock():
        async with source_of(practice, exchange) as source:
            return await source.clock()

    read = asyncio.run(clock())

    behind = practice.now() - read.now()
    assert 0 <= behind + 2 < 500


def test_only_a_practice_exchange_has_a_fast_clock():
    with pytest.raises(ConfigurationError, match="CLOCK_SPEED: expected 1 for the real binance"):
        Source("binance", timeout_s=5, speed=60.0, environment={})
