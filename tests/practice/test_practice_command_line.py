from __future__ import annotations

import signal
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from common.errors import ConfigurationError
from practice.arguments import parse_arguments
from tests.practice.running import Practice, eventually, start

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "--port"),
        (["--port", "high"], "--port: expected a number from 0 to 65535, found 'high'"),
        (["--port", "1", "--speed", "0"], "--speed: expected a number above 0"),
        (["--port", "1", "--speed", "nan"], "--speed: expected a number above 0"),
        (["--port", "1", "--start", "soon"], "--start: expected a time such as"),
        (["--port", "1", "--balance", "USDT"], "--balance: expected an amount such as USDT=10000"),
        (["--port", "1", "--key", "name"], "--key: expected NAME:SECRET"),
        (
            ["--port", "1", "--withdrawal-key", "mine"],
            "--withdrawal-key: expected one of practice-key, found 'mine'",
        ),
        (["--port", "1", "--fee-rate", "2"], "--fee-rate: expected a share"),
        (["--port", "1", "--data", "btc=file.csv"], "--data: expected BASE/QUOTE"),
        (["--port", "1", "--sped", "2"], "--sped"),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_expected(words: list[str], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        parse_arguments(words, {})


def test_the_keys_come_from_the_command_line_else_from_the_environment_else_are_the_documented_pair() -> (
    None
):
    environment = {"PRACTICE_API_KEY": "mine", "PRACTICE_API_SECRET": "hidden"}
    words = ["--port", "1"]
    assert parse_arguments(words, {}).secrets == {"practice-key": "practice-secret"}
    assert parse_arguments(words, environment).secrets == {"mine": "hidden"}
    assert parse_arguments([*words, "--key", "a:b:c"], environment).secrets == {"a": "b:c"}


def test_a_bad_argument_ends_with_status_2_and_one_line(tmp_path: Path) -> None:
    process = start("--data", str(tmp_path / "missing.csv"))
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert errors.startswith("practice: --data: expected a readable CSV file")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_within_a_second_even_when_a_request_hangs(
    number: signal.Signals,
) -> None:
    practice = Practice()
    assert "COINBASE_API_URL=" in practice.greeting
    practice.suffer(kind="hang")
    address = urlsplit(practice.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"GET /binance/api/v3/time HTTP/1.1\r\nHost: practice\r\n\r\n")
        eventually(lambda: practice.ask("calls")["binance"].get("time"))
        begun = time.monotonic()
        assert practice.stop(number) == 0
        assert time.monotonic() - begun < 1.0
