"""Faults on demand: what an exchange or the way to it can do to a request instead of answering it.

A fault is data: whom it strikes, how often, and what then happens. What real ccxt makes of each
kind is told in the tests.
"""

from __future__ import annotations

import asyncio
import fnmatch
import itertools
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from aiohttp import web

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from practice.server import Handler

INSTEAD = ("status", "html", "body", "hang", "drop")  # the exchange does nothing
AFTER = ("delay", "lose_reply", "cut", "truncate", "drip")  # it acts, then the reply suffers
_KINDS = (*INSTEAD, *AFTER)
_HTML = (
    "<html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
)
_DRIP_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `*` matches everything; `count` is how many requests it strikes."""

    kind: str
    exchange: str = "*"
    endpoint: str = "*"  # a name from /practice/calls, or a pattern such as ticker*
    market: str = "*"  # as the exchange writes it, such as BTCUSDT or BTC-USD
    count: int | None = 1  # None: until it is deleted
    delay_s: float = 0.0  # waited first, with any kind
    status: int = 500  # of kind "status"
    headers: dict[str, str] = field(default_factory=dict)  # such as {"Retry-After": "3"}
    body: Any = None  # of kinds "status" and "body": text, or JSON of any form

    @classmethod
    def parse(cls, wanted: object) -> Fault:
        """The fault that a JSON object describes.

        Raises:
            ConfigurationError: a key or a value is not understood.
        """
        known = {one.name for one in fields(cls)}
        if not isinstance(wanted, dict) or not wanted.keys() <= known:
            raise ConfigurationError(
                f"fault: expected a JSON object with keys of {', '.join(sorted(known))}, found {wanted}"
            )
        if wanted.get("kind") not in _KINDS:
            raise ConfigurationError(
                f"kind: expected one of {', '.join(_KINDS)}, found {wanted.get('kind')!r}"
            )
        for name, types in _TYPES.items():
            if name in wanted and not isinstance(wanted[name], types):
                raise ConfigurationError(
                    f"{name}: found {wanted[name]!r}, which is no value for it"
                )
        return cls(**wanted)

    def strikes(self, exchange: str, endpoint: str, market: str) -> bool:
        """Whether it concerns such a request."""
        return (
            fnmatch.fnmatchcase(exchange, self.exchange)
            and fnmatch.fnmatchcase(endpoint, self.endpoint)
            and fnmatch.fnmatchcase(market, self.market)
        )


_TYPES: dict[str, type | tuple[type, ...]] = {
    "exchange": str,
    "endpoint": str,
    "market": str,
    "count": (int, type(None)),
    "delay_s": (int, float),
    "status": int,
    "headers": dict,
}


class Faults:
    """The faults that wait for a request, oldest first."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[Fault, int | None]] = {}

    def add(self, fault: Fault) -> int:
        """Lets a fault wait; its number."""
        number = next(self._numbers)
        self._waiting[number] = (fault, fault.count)
        return number

    def clear(self) -> None:
        """Forgets them all."""
        self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """The faults that still wait, with the count that is left of each."""
        return [
            {"id": number, **asdict(fault), "count": left}
            for number, (fault, left) in self._waiting.items()
        ]

    def next_for(self, exchange: str, endpoint: str, market: str) -> Fault | None:
        """The fault that strikes such a request, which is then one nearer to its end."""
        for number, (fault, left) in self._waiting.items():
            if fault.strikes(exchange, endpoint, market):
                if left is not None:
                    self._waiting[number] = (fault, left - 1)
                    if left <= 1:
                        del self._waiting[number]
                return fault
        return None


async def suffer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Does to a request what the fault says."""
    await asyncio.sleep(fault.delay_s)
    if fault.kind == "hang":
        await asyncio.Event().wait()
    if fault.kind == "drop":
        return _dropped(request)
    if fault.kind in INSTEAD:
        return _answer(fault)
    try:
        reply = await handler(request)
    except web.HTTPException as error:
        reply = error
    if fault.kind == "lose_reply":
        return _dropped(request)
    assert isinstance(reply, web.Response)
    assert isinstance(reply.body, bytes)
    return await _spoiled(fault.kind, reply, reply.body, request)


def _answer(fault: Fault) -> web.Response:
    status = 200 if fault.kind != "status" else fault.status
    body = _HTML if fault.kind == "html" or fault.body is None else fault.body
    if isinstance(body, str):
        kind = "text/html" if body.startswith("<") else "application/json"
        return web.Response(text=body, status=status, headers=fault.headers, content_type=kind)
    return web.json_response(body, status=status, headers=fault.headers)


async def _spoiled(
    kind: str, reply: web.Response, body: bytes, request: web.Request
) -> web.StreamResponse:
    if kind == "delay":
        return reply
    half = body[: len(body) // 2]
    if kind == "truncate":
        return web.Response(body=half, status=reply.status, content_type="application/json")
    response = web.StreamResponse(status=reply.status, headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    if kind == "drip":
        for byte in body:
            await response.write(bytes([byte]))
            await asyncio.sleep(_DRIP_PAUSE_S)
        return response
    await response.write(half)
    return _dropped(request, gently=True)


def _dropped(request: web.Request, *, gently: bool = False) -> web.Response:
    """Closes the connection: with a reset, or after what was written has been sent."""
    if request.transport is not None:
        if gently:
            request.transport.close()
        else:
            request.transport.abort()
    return web.Response()
