from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from common.clock import MarketClock
from practice.state import open_state, save_clock
from tests.practice.running import Practice, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SYMBOL = "BTC/USDT"


async def everything(client: Any) -> Any:
    return (
        (await client.fetch_balance())["info"]["balances"],
        await client.fetch_orders(SYMBOL),
        await client.fetch_my_trades(SYMBOL),
    )


def test_an_exchange_that_was_killed_has_forgotten_nothing_and_missed_nothing(
    started: Callable[..., Practice], tmp_path: Path
) -> None:
    state = str(tmp_path / "exchange.db")
    words = ("--balance", "USDT=20000", "--balance", "BTC=1")
    practice = Practice("--state", state, "--speed", "2", *words)

    async def trade(client: Any) -> Any:
        last = (await client.fetch_ticker(SYMBOL))["last"]
        await client.create_order(SYMBOL, "market", "buy", 0.1)
        await client.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.99)
        await client.create_order(SYMBOL, "limit", "sell", 0.01, last * 1.01)
        return await everything(client)

    before = practice.traded(trade)
    told_ms = practice.now_ms()
    practice.stop(signal.SIGKILL)

    again = Practice("--state", state)
    assert again.ask("clock")["speed"] == 2
    assert told_ms < again.now_ms() < told_ms + 60_000
    assert again.traded(everything) == before
    again.stop()

    faster = started("--state", state, "--speed", "36000")
    assert told_ms < faster.now_ms() < told_ms + 36_000 * 60_000
    late = {"startTime": told_ms}
    eventually(lambda: faster.traded(lambda client: client.fetch_my_trades(SYMBOL, params=late)))


def test_a_kept_state_refuses_another_seed(tmp_path: Path) -> None:
    state = str(tmp_path / "exchange.db")
    connection = open_state(state)
    save_clock(connection, MarketClock(0, 0), 5)
    connection.close()
    with pytest.raises(AssertionError, match="--seed: expected 5, as in the kept state, found 6"):
        Practice("--state", state, "--seed", "6")
