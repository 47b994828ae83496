"""What a fault does to a request on its way: the exchange does not act, or its reply suffers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from practice.fault import INSTEAD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from practice.fault import Fault

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HTML = (
    "<html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
)
_DRIP_PAUSE_S = 0.5


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
