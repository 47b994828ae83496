from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from common.clock import MarketClock
from practice.state import open_state, save_clock
from tests.practice.dialects import DIALECTS, Dialect
from tests.practice.running import Practice, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.exchange)


@EACH
def test_an_exchange_that_was_killed_has_forgotten_nothing_and_missed_nothing(
    started: Callable[..., Practice], tmp_path: Path, dialect: Dialect
) -> None:
    state = str(tmp_path / "exchange.db")
    words = ("--balance", f"{dialect.quote}=1000000", "--balance", "BTC=1")
    practice = Practice("--state", state, "--speed", "2", *words)

    async def everything(client: Any) -> Any:
        balance, orders = await dialect.balance(client), await dialect.orders(client)
        trades = await client.fetch_my_trades(dialect.symbol)
        coins = {name: balance[name] for name in ("BTC", dialect.quote)}
        told = {key: [one[key] for one in orders] for key in ("id", "clientOrderId", "price")}
        return coins, told, [trade["id"] for trade in trades]

    async def trade(client: Any) -> Any:
        ticker = await client.fetch_ticker(dialect.symbol)
        await dialect.bought(client, 0.1, **dialect.named("bought"))
        await dialect.limited(client, "buy", 0.01, ticker["last"] * 0.99)
        await dialect.limited(client, "sell", 0.01, ticker["last"] * 1.01)
        large = await dialect.limited(client, "buy", 5, ticker["ask"] * 1.0001)
        await client.cancel_order(large["id"], dialect.symbol)
        order = await client.fetch_order(large["id"], dialect.symbol)
        return order, await everything(client)

    order, before = practice.traded(trade, exchange=dialect.exchange)
    assert 0 < order["filled"] < 5
    told_ms = practice.now_ms()
    practice.stop(signal.SIGKILL)

    again = Practice("--state", state)
    assert again.ask("clock")["speed"] == 2
    assert told_ms < again.now_ms() < told_ms + 60_000
    assert again.traded(everything, exchange=dialect.exchange) == before
    (found,) = again.traded(
        lambda client: dialect.found(client, "bought"), exchange=dialect.exchange
    )
    assert found["status"] == "closed"
    again.stop()

    faster = started("--state", state, "--speed", "36000")
    assert told_ms < faster.now_ms() < told_ms + 36_000 * 60_000
    _, _, trades = before

    async def filled_later(client: Any) -> Any:
        return len(await client.fetch_my_trades(dialect.symbol)) > len(trades)

    eventually(lambda: faster.traded(filled_later, exchange=dialect.exchange))


@EACH
def test_an_order_that_was_partly_filled_goes_on_after_a_kill(
    started: Callable[..., Practice], tmp_path: Path, dialect: Dialect
) -> None:
    words = ("--state", str(tmp_path / "exchange.db"), "--balance", f"{dialect.quote}=1000000")
    practice = Practice(*words)

    async def place(client: Any) -> Any:
        ask = (await client.fetch_ticker(dialect.symbol))["ask"]
        await dialect.limited(client, "buy", 5, ask * 1.0001, **dialect.named("large"))
        return await dialect.found(client, "large")

    async def end(client: Any) -> Any:
        with suppress(ccxt.BaseError):  # it has filled by now
            (order,) = await dialect.found(client, "large")
            await client.cancel_order(order["id"], dialect.symbol)
        return await dialect.found(client, "large"), await client.fetch_my_trades(dialect.symbol)

    (before,) = practice.traded(place, exchange=dialect.exchange)
    assert 0 < before["filled"] < 5
    practice.stop(signal.SIGKILL)
    (after,), trades = started(*words).traded(end, exchange=dialect.exchange)
    assert after["id"] == before["id"]
    assert before["filled"] <= after["filled"] <= 5
    assert sum(trade["amount"] for trade in trades) == pytest.approx(after["filled"])


def test_a_kept_state_refuses_another_seed(tmp_path: Path) -> None:
    state = str(tmp_path / "exchange.db")
    connection = open_state(state)
    save_clock(connection, MarketClock(0, 0), 5)
    connection.close()
    with pytest.raises(AssertionError, match="--seed: expected 5, as in the kept state, found 6"):
        Practice("--state", state, "--seed", "6")
