"""The limits on what is read, as docs/SECURITY.md lists them: each is refused in one line, without filling the memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from aiohttp import web

from backfiller.files.errors import BadFile
from backfiller.files.formats import Format
from backfiller.files.reading import read
from backfiller.planner import Span
from backfiller.source import Source
from common import exchange_limits, yaml_file
from common.errors import ConfigurationError
from common.exchange_failures import NoAnswerError
from common.given import LONGEST
from common.partition import Partition
from common.timeframe import Timeframe
from practice.replay import read_candles
from tests.backfiller_files import samples
from tests.fuzz.lawful import require_lawful, run
from trader.__main__ import main as trader
from trader.brokers.live.credentials import credentials
from trader.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / "config/trader.yml")
MEGABYTE = 1 << 20


def _peak_bytes(act: Callable[[], object]) -> int:
    """The most memory that Python held at once in that, beyond what it held before."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- configuration and environment ---


@pytest.mark.parametrize("size", [yaml_file.MOST_BYTES + 1, 300 * MEGABYTE])
def test_a_configuration_file_of_more_than_256_kilobytes_is_not_read_to_its_end(tmp_path, size):
    file = tmp_path / "large.yml"
    with file.open("wb") as opened:
        opened.truncate(size)

    def refused() -> None:
        with pytest.raises(ConfigurationError, match="more than 256,000 bytes"):
            load_settings({"CONFIG_FILE": str(file)})

    assert _peak_bytes(refused) < 20 * MEGABYTE


def test_a_configuration_file_that_never_ends_is_refused():
    with pytest.raises(ConfigurationError, match="more than 256,000 bytes"):
        load_settings({"CONFIG_FILE": "/dev/zero"})


def test_a_configuration_of_more_than_twenty_levels_or_a_hundred_thousand_values_is_refused(
    tmp_path,
):
    file = tmp_path / "some.yml"
    for content, words in (
        ("x: " + "[" * 20 + "]" * 20, "more than 20 levels"),
        ("x: &x [" + "1," * 1000 + "]\ny: [" + "*x," * 101 + "]", "more than 100,000 values"),
    ):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=words):
            load_settings({"CONFIG_FILE": str(file)})


@pytest.mark.parametrize(
    "variable",
    ["STRATEGY", "SYMBOL", "RSI_PERIOD", "PARAMETER_PERIOD", "CONFIG_FILE", "STAKE_AMOUNT"],
)
def test_a_variable_of_more_than_a_thousand_characters_is_refused(variable):
    environment = {"CONFIG_FILE": CONFIG, variable: "1" * (LONGEST + 1)}
    with pytest.raises(
        ConfigurationError, match=f"{variable}: expected at most {LONGEST} characters"
    ):
        load_settings(environment)


def test_an_argument_of_more_than_a_thousand_characters_is_refused(database_url):
    environment = {"DATABASE_URL": database_url}
    words = ["control", "halted", "--fleet", "--reason", "x" * (LONGEST + 1)]
    ended = run(lambda: trader(words, environment), environment)
    require_lawful(ended)
    assert ended.status == 2
    assert "arguments: expected at most" in ended.err


def test_a_file_of_a_secret_is_read_up_to_sixteen_kilobytes(tmp_path):
    file = tmp_path / "secret"
    for path in (file, Path("/dev/zero")):
        file.write_bytes(b"top-secret" * 2000)
        environment = {"BINANCE_API_KEY": "x", "BINANCE_API_SECRET_FILE": str(path)}
        with pytest.raises(ConfigurationError, match="more than 16,384 bytes") as caught:
            credentials("binance", environment)
        assert "top-secret" not in str(caught.value)


# --- files of candles ---


def _refused(path: Path, kind: Format) -> str:
    with pytest.raises(BadFile) as caught:
        for _ in read(path, kind):
            pass
    return str(caught.value)


def test_a_packed_file_that_unpacks_to_far_more_than_candles_do_is_refused(tmp_path):
    zeros = b"\n" * (16 * MEGABYTE)
    packed, zipped = tmp_path / "a.csv.gz", tmp_path / "a.zip"
    with gzip.open(packed, "wb") as opened:
        opened.write(samples.csv_text(samples.candles(10)).encode())
        for _ in range(8):
            opened.write(zeros)
    with (
        zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("a.csv", "w") as opened,
    ):
        for _ in range(8):
            opened.write(zeros)
    assert "200 times its size" in _refused(packed, Format.CSV)
    assert "200 times its size" in _refused(zipped, Format.BINANCE)


def test_a_packed_file_with_several_is_refused(tmp_path):
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.csv", "x")
        packed.writestr("b.csv", "x")
    assert "expected a zip of one file, found 2" in _refused(file, Format.BINANCE)


def test_a_line_without_end_is_refused(tmp_path):
    file = tmp_path / "a.csv"
    with file.open("wb") as opened:
        opened.write(b"timestamp,open,high,low,close,volume\n")
        opened.truncate(200 * MEGABYTE)
    assert _peak_bytes(lambda: _refused(file, Format.CSV)) < 40 * MEGABYTE


@pytest.mark.parametrize("kind", [Format.PARQUET, Format.FEATHER])
def test_a_small_file_of_a_hundred_million_rows_is_refused(tmp_path, kind):
    file = tmp_path / f"a.{kind.value}"
    rows = 3_000_000
    zeros = {
        name: pl.repeat(1.0, rows, eager=True)
        for name in ("open", "high", "low", "close", "volume")
    }
    frame = pl.DataFrame({"timestamp": pl.repeat(0, rows, eager=True, dtype=pl.Int64()), **zeros})
    if kind is Format.PARQUET:
        frame.write_parquet(file, compression="zstd")
    else:
        frame.write_ipc(file, compression="zstd")
    assert file.stat().st_size < MEGABYTE
    assert "rows a byte" in _refused(file, kind)


def test_a_backtest_and_a_replay_read_no_line_without_end(tmp_path):
    file = tmp_path / "a.csv"
    with file.open("wb") as opened:
        opened.truncate(200 * MEGABYTE)
    environment = {"CONFIG_FILE": CONFIG, "DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}

    def backtested() -> None:
        ended = run(lambda: trader(["backtest", "--csv", str(file)], environment), environment)
        require_lawful(ended)
        assert "a line of more than 65,536 characters" in ended.err

    def replayed() -> None:
        with pytest.raises(ConfigurationError, match="a line of more than"):
            read_candles(str(file))

    assert _peak_bytes(backtested) < 60 * MEGABYTE
    assert _peak_bytes(replayed) < 20 * MEGABYTE


# --- answers of an exchange ---


async def _asked(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """What comes of asking an exchange that answers like this for a few candles."""
    app = web.Application()
    app.router.add_get("/api/v3/exchangeInfo", _markets)
    app.router.add_get("/api/v3/klines", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    source = Source("binance", timeout_s=120, speed=1.0, environment={"BINANCE_API_URL": url})
    partition = Partition("binance", "BTC/USDT", Timeframe.M1)
    try:
        return await source.candles(partition, Span(0, 60_000 * 9))
    finally:
        await source.close()
        await runner.cleanup()


_PRECISION: dict[str, Any] = {}


async def _markets(_: web.Request) -> web.Response:
    market: dict[str, Any] = _PRECISION | {
        "symbol": "BTCUSDT",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "status": "TRADING",
        "filters": [],
    }
    return web.json_response({"symbols": [market]})


def _stream(part: bytes, count: int, *, headers: dict[str, str] | None = None) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", **(headers or {})}
        )
        await response.prepare(request)
        try:
            for _ in range(count):
                await response.write(part)
        except ConnectionError:  # the other side has heard enough
            pass
        return response

    return handler


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_of_a_gigabyte_does_not_fill_the_memory(packed):
    part, headers = b"[" + b" " * (MEGABYTE - 1), {}
    count = 1024
    if packed:
        part, count = gzip.compress(b" " * (1 << 30), compresslevel=1), 1
        headers = {"Content-Encoding": "gzip"}

    def refused() -> None:
        with pytest.raises(NoAnswerError, match="expected an answer of at most"):
            asyncio.run(_asked(_stream(part, count, headers=headers)))

    # The server of this test, in the same process, holds some of it as well.
    assert _peak_bytes(refused) < exchange_limits.MOST_BYTES + 40 * MEGABYTE + len(part)


def test_of_more_candles_than_were_asked_for_only_so_many_are_taken():
    def row(number: int) -> list[object]:
        return [number * 60_000, "1", "1", "1", "1", "1", 0, "1", 1, "1", "1", "0"]

    async def handler(_: web.Request) -> web.Response:
        return web.json_response([row(number) for number in range(20_000)])

    assert len(asyncio.run(_asked(handler)).content) == 10


def test_an_answer_of_a_million_candles_is_refused():
    row = json.dumps([0, "1", "1", "1", "1", "1", 59_999, "1", 1, "1", "1", "0"]).encode()
    part = (row + b",") * 10_000

    with pytest.raises(NoAnswerError, match="expected an answer of at most"):
        asyncio.run(_asked(_stream(part, 100)))


@pytest.mark.parametrize(
    "body", [b"[" * 1_000_000, b'{"a":' * 100_000, b"[" + b"9" * 100_000 + b"]"]
)
def test_an_answer_nested_or_long_beyond_reason_is_no_answer(body):
    with pytest.raises(NoAnswerError):
        asyncio.run(_asked(_stream(body, 1)))


@pytest.mark.parametrize("places", [10**12, "1" * 400, -(10**12)])
def test_a_number_of_decimal_places_that_nobody_can_count_is_no_answer(monkeypatch, places):
    monkeypatch.setitem(_PRECISION, "quotePrecision", places)
    with pytest.raises(NoAnswerError, match="expected a number of decimal places"):
        asyncio.run(_asked(_stream(b"[]", 1)))
