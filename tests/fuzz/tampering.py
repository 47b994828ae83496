"""What stands between a client and the practice exchange: it passes on every request, and spoils some of the answers."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

Spoil = "Callable[[str, bytes], bytes]"
_HOP = {"content-length", "content-encoding", "transfer-encoding", "connection"}


class Tampering:
    """A server on this machine, in a thread. `spoil` makes another body of the path's and the real one."""

    def __init__(self, url: str) -> None:
        self._target = url
        self.spoil: Callable[[str, bytes], bytes] | None = None
        self.headers: dict[str, str] = {}  # more of them, in each answer
        self.status: int | None = None
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)

    @property
    def environment(self) -> dict[str, str]:
        return {
            f"{name.upper()}_API_URL": f"{self.url}/{name}"
            for name in ("binance", "coinbase", "kraken")
        }

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in _HOP
        }
        async with self._session.request(
            request.method,
            f"{self._target}{request.raw_path}",
            headers=headers,
            data=await request.read(),
        ) as answer:
            body = await answer.read()
        if self.spoil is not None:
            body = self.spoil(request.path, body)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        return web.Response(
            body=body, status=self.status or answer.status, headers=kept | self.headers
        )


@contextmanager
def tampering(url: str) -> Iterator[Tampering]:
    between = Tampering(url)
    try:
        yield between
    finally:
        between.stop()


# --- how an answer is spoilt: in a way that can be told, so that nothing of it may be believed ---

_ABSURD: tuple[Any, ...] = (
    None, "", "abc", [], {}, [[]], {"a": None}, [None], True, -1, "-1", 1e30, "1e30", "1" * 400, 10**30, float("nan"), "NaN",
    float("inf"), "-Infinity", "1e400", "1E+999999", "\u0000", "½", "x" * 5000, {"a": {"b": [None, {"c": None}]}}, -(10**18),
)  # fmt: skip
_BODIES: tuple[bytes, ...] = (
    b"", b"null", b"0", b'""', b"[]", b"{}", b"true", b"NaN", b"{", b'{"a":', b"[" * 100_000, b'{"a":' * 50_000,
    b"[" + b"1" * 6000 + b"]", b"\xff\xfe{}", b"<html>", b"[[]]", b"[null]", b'{"code": null}', b'{"error": [null]}',
    b'{"error": 5}', b'{"result": null, "error": []}', b'{"result": [], "error": []}', b'{"code": -1, "msg": {}}',
    b'{"msg": "x", "code": "y"}', b'{"errors": [{"id": null}]}', b'{"message": null}', b'{"error": "x", "message": []}',
)  # fmt: skip


def spoilt(random: Random, body: bytes) -> bytes:
    """The body, spoilt in one to three places, or as a whole."""
    chance = random.random()
    if chance < 0.1:
        return random.choice(_BODIES)
    if chance < 0.15:
        return body[: random.randrange(len(body) + 1)]
    try:
        content = json.loads(body)
    except ValueError:
        return body
    for _ in range(random.randint(1, 3)):
        content = _changed(random, content)
    return json.dumps(content).encode()


def _changed(random: Random, content: Any) -> Any:
    """The content with another value in one place, or without it."""
    if not isinstance(content, dict | list) or not content or random.random() < 0.05:
        return random.choice(_ABSURD)
    key = (
        random.choice(list(content))
        if isinstance(content, dict)
        else random.randrange(len(content))
    )
    inner = content[key]
    if isinstance(inner, dict | list) and inner and random.random() < 0.85:
        content[key] = _changed(random, inner)
        return content
    # Without one of its numbers a row in a list is another row, which nobody can tell.
    is_row = isinstance(content, list) and not isinstance(inner, dict | list)
    what = random.random()
    if what < 0.25 and not is_row:
        del content[key]
    elif what < 0.35 and isinstance(content, list) and not is_row:
        content.insert(random.randrange(len(content) + 1), random.choice(_ABSURD))
    elif what < 0.45 and isinstance(content, list) and not is_row:
        random.shuffle(content)
    else:
        content[key] = random.choice(_ABSURD)
    return content
