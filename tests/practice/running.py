"""A practice exchange in a process of its own, and real ccxt clients that speak to it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ccxt

from common.exchange import connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

ROOT = Path(__file__).parents[2]
CREDENTIALS = {"apiKey": "practice-key", "secret": "practice-secret"}
IN_BASE64 = base64.b64encode(CREDENTIALS["secret"].encode()).decode()  # as kraken's clients want it
DEADLINE_S = 10.0


def credentials_of(exchange: str, key: str = CREDENTIALS["apiKey"]) -> dict[str, str]:
    """What a client of that exchange is given to own the account of that key."""
    return {"apiKey": key, "secret": IN_BASE64 if exchange == "kraken" else CREDENTIALS["secret"]}


class Practice:
    """A running practice exchange. Arguments are those of `python -m practice` but the port."""

    def __init__(self, *arguments: str) -> None:
        self._process = start(*arguments)
        self._runner = asyncio.Runner()
        self._clients: dict[tuple[str, ...], Any] = {}
        assert self._process.stderr is not None
        self.greeting = self._process.stderr.readline()
        found = re.search(r"BINANCE_API_URL=(http://\S+)/binance", self.greeting)
        assert found, self.greeting + self._process.stderr.read()
        self.url = found[1]
        self.environment = {
            f"{exchange.upper()}_API_URL": f"{self.url}/{exchange}"
            for exchange in ("binance", "coinbase", "kraken")
        }

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the process; its exit status."""
        self._runner.run(_all_closed(self._clients.values()))
        self._runner.close()
        self._process.send_signal(number)
        assert self._process.stderr is not None
        try:
            return self._process.wait(DEADLINE_S)
        finally:
            self._process.kill()
            self._process.stderr.close()

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """The JSON answer of one of the endpoints under /practice."""
        request = urllib.request.Request(
            f"{self.url}/practice/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return json.load(answer)

    def suffer(self, **fault: Any) -> None:
        """Lets a fault wait for a request."""
        self.ask("faults", "POST", fault)

    def truth(self, exchange: str, symbol: str, timeframe: str, **window: int) -> list[list[float]]:
        """The closed candles."""
        words = "".join(f"&{name}={value}" for name, value in window.items())
        found: list[list[float]] = self.ask(
            f"candles?exchange={exchange}&symbol={symbol}&timeframe={timeframe}{words}"
        )
        return found

    def now_ms(self) -> int:
        """Market time."""
        return int(self.ask("clock")["now_ms"])

    def client(self, exchange: str, **credentials: str) -> Any:
        """A new ccxt client of one of its exchanges, which waits for nobody."""
        client = connect(exchange, credentials=credentials, environment=self.environment)
        client.timeout = 1000
        client.enableRateLimit = False
        return client

    def synchronous_client(self, exchange: str, **credentials: str) -> Any:
        """The same without asyncio."""
        asynchronous = connect(exchange, environment=self.environment)
        settings = {
            "options": asynchronous.options,
            "timeout": 1000,
            "enableRateLimit": False,
            **credentials,
        }
        client = getattr(ccxt, exchange)(settings)
        client.urls["api"] = asynchronous.urls["api"]
        return client

    def asked(
        self, exchange: str, question: Callable[[Any], Awaitable[Any]], **credentials: str
    ) -> Any:
        """What a ccxt client answers to one question; the client is used again."""
        key = (exchange, *credentials.values())
        if key not in self._clients:
            self._clients[key] = self.client(exchange, **credentials)
        return self._runner.run(_awaited(question(self._clients[key])))

    def freshly_asked(
        self, exchange: str, question: Callable[[Any], Awaitable[Any]], **credentials: str
    ) -> Any:
        """The same of a client that has never asked anything but for the markets."""

        async def ask() -> Any:
            client = self.client(exchange, **credentials)
            try:
                await client.load_markets()
                return await question(client)
            finally:
                await client.close()

        return asyncio.run(ask())

    def traded(
        self,
        question: Callable[[Any], Awaitable[Any]],
        key: str = CREDENTIALS["apiKey"],
        exchange: str = "binance",
    ) -> Any:
        """What an exchange answers to the owner of that key, whose clock is set."""

        async def ask(client: Any) -> Any:
            if exchange != "kraken":  # which does not look at a client's clock
                await client.load_time_difference()
            return await question(client)

        return self.asked(exchange, ask, **credentials_of(exchange, key))


async def _all_closed(clients: Iterable[Any]) -> None:
    await asyncio.gather(*(client.close() for client in clients))


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


def start(*arguments: str) -> subprocess.Popen[str]:
    """The process, not awaited."""
    return subprocess.Popen(
        [sys.executable, "-m", "practice", "--port", "0", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={name: text for name, text in os.environ.items() if not name.startswith("PRACTICE_")},
    )


def eventually(condition: Callable[[], Any]) -> Any:
    """The first true value of the condition, within the deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("the condition did not become true in time")
