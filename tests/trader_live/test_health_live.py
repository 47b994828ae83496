"""A live trader whose exchange does not answer waits for a reason that it states: it does not hang."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from common.heartbeat import GOOD_FOR_S
from tests.trader.running import eventually
from tests.trader_live.processes import state
from tests.trader_live.stage import BUY, HOLD

if TYPE_CHECKING:
    from pathlib import Path


_WATCHED_S = 1.5 * GOOD_FOR_S


def longest_silence_s(file: Path) -> float:
    """How long its heartbeat was not renewed at most, while it was watched."""
    longest, deadline = 0.0, time.monotonic() + _WATCHED_S
    while time.monotonic() < deadline:
        told = json.loads(file.read_text(encoding="utf-8"))
        assert told["problem"] == ""
        longest = max(longest, time.monotonic() - told["beat"])
        time.sleep(0.2)
    return longest


@pytest.mark.parametrize("exchange", ["binance"])
def test_it_stays_healthy_while_its_order_is_not_told_of(stage, trader, tmp_path):
    file = tmp_path / "heartbeat"
    stage.say(HOLD)
    trader.start(HEARTBEAT_FILE=str(file))
    eventually(lambda: state(stage) == "running:")
    for endpoint in ("*order*", "*Order*", "account"):
        stage.practice.suffer(exchange=stage.exchange, endpoint=endpoint, kind="hang", count=None)
    stage.say(BUY)
    assert longest_silence_s(file) < GOOD_FOR_S
    said = state(stage)
    assert said.startswith("running:RequestTimeout: binance ")
    assert "?" not in said, "a signed request is nobody's business"
