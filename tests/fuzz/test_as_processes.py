"""The same as a user meets it: real processes, with bytes that Python's own tests of strings never see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _ended(words: list[bytes], environment: dict[bytes, bytes]) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a program of ours."""
    known = {name: os.environb[name] for name in (b"PATH", b"HOME") if name in os.environb}
    done = subprocess.run(
        [sys.executable.encode(), *words],
        cwd=ROOT,
        env=known | environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


_TRADER = [b"-m", b"trader"]
_BACKFILLER = [b"-m", b"backfiller"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([*_TRADER, b"control", b"halted", b"--fleet", b"--reason", b"\xff"], "arguments"),
        ([*_BACKFILLER, b"import", b"\xff\xfe.csv"], "arguments"),
        ([b"schema.py", b"--database", b"sqlite:///\xff"], "arguments"),
        ([b"-m", b"candlewell", b"backup", b"--folder", b"\xff"], "arguments"),
        ([b"-m", b"candlewell", b"trades", b"--strategy-id", b"\xff"], "arguments"),
        ([b"-m", b"practice", b"--port", b"0", b"--data", b"\xff.csv"], "arguments"),
    ],
    ids=lambda words: b" ".join(words[:2]).decode() if isinstance(words, list) else "",
)
def test_an_argument_that_is_no_text_is_refused_by_each_program(database_url, words, named):
    environment = {b"DATABASE_URL": database_url.encode(), b"PYTHONPATH": str(ROOT).encode()}
    status, _, err = _ended(words, environment)
    assert (status, "Traceback" in err) == (2, False), err
    assert named in err


@pytest.mark.parametrize(
    ("words", "environment", "named"),
    [
        (_TRADER, {b"SYMBOL": b"\xff"}, "SYMBOL"),
        (_TRADER, {b"STAKE_AMOUNT": b"1E+999999"}, "STAKE_AMOUNT"),
        (_TRADER, {b"STARTING_BALANCE": b"NaN"}, "STARTING_BALANCE"),
        (_TRADER, {b"RSI_PERIOD": b"9" * 5000}, "RSI_PERIOD"),
        (_TRADER, {b"CONFIG_FILE": b"/dev/zero"}, "/dev/zero"),
        (_TRADER, {b"DATABASE_URL": b"sqlite:///" + b"x" * 5000}, "DATABASE_URL"),
        (_BACKFILLER, {b"BACKFILLER_CONFIG": b"/dev/zero"}, "/dev/zero"),
        (_BACKFILLER, {b"TICKER_INTERVAL_S": b"inf"}, "TICKER_INTERVAL_S"),
        (_BACKFILLER, {b"CLOCK_SPEED": b"1e400"}, "CLOCK_SPEED"),
    ],
    ids=lambda given: " ".join(name.decode() for name in given) if isinstance(given, dict) else "",
)
def test_a_variable_that_is_no_setting_stops_a_daemon_in_one_line(
    database_url, words, environment, named
):
    known = {b"DATABASE_URL": database_url.encode(), b"LOG_LEVEL": b"error"}
    status, out, err = _ended(words, known | environment)
    assert (status, out) == (2, ""), err
    assert len(err.splitlines()) == 1
    assert named in err
    assert len(err) < 1000
