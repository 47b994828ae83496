"""Calls to an exchange through ccxt: each bounded in time, each failure an error of ours, no answer that is none."""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.clock import steady_now, wall_now
from common.errors import RejectedError, TransientError
from common.exchange_failures import NoAnswerError, Reply, classified
from common.exchange_limits import bound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# A call may take so many times one request, since some are several, and as long as it waits for its turn.
_WHOLE_CALL = 3.0
_HTTP_BAD = 400
_REPLY: contextvars.ContextVar[Reply] = contextvars.ContextVar("reply")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an exchange answered, and this machine's times of the question and the answer.

    Both are by its clock as it was when the answer came: it may have been set since the question.
    """

    content: Any
    sent_at: int
    arrived_at: int


class Calls:
    """The calls of one ccxt client."""

    def __init__(self, client: Any, timeout_s: float) -> None:
        """`timeout_s` is that of one HTTP request."""
        self._whole_call_s = timeout_s * _WHOLE_CALL + _longest_turn_s(client)
        client.timeout_on_exit = 0  # nothing to wait for: every answer has been read
        bound(client)
        _watch(client)

    async def ask(
        self, call: Callable[..., Awaitable[Any]], *arguments: Any, about_symbol: bool = False
    ) -> Answer:
        """The answer to a call for public data.

        Args:
            call: a method of the client.
            arguments: its own.
            about_symbol: whether a refusal says something of what was asked for, and not of the exchange.

        Raises:
            TransientError: it may succeed later.
            RejectedError: the exchange does not have what was asked for.
        """
        reply = Reply(sent_steady=steady_now())
        try:
            content = await self.raw(reply, call, *arguments)
        except Exception as error:
            found = classified(error, reply)
            if isinstance(found, RejectedError) and not about_symbol:
                found = TransientError(str(found))  # a fault of the exchange, not of a symbol
            if found is error:
                raise
            raise found from error
        arrived_at = wall_now()
        return Answer(content, arrived_at - (steady_now() - reply.sent_steady), arrived_at)

    async def raw(self, reply: Reply, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """What a call answers, or whatever it raises; `reply` tells what is known of its HTTP exchange."""
        _REPLY.set(reply)
        async with asyncio.timeout(self._whole_call_s):
            return await call(*arguments)


def _longest_turn_s(client: Any) -> float:
    """How long ccxt's rate limit may hold back a call, which is no fault of the exchange."""
    is_rolling = client.rateLimiterAlgorithm == "rollingWindow"
    return float(client.rollingWindowSize) / 1000 if is_rolling else 0.0


def _watch(client: Any) -> None:
    """Notes when each request leaves and how it is answered, and lets nothing pass that is not JSON.

    ccxt takes an HTML page with status 200, or JSON that breaks off, for an answer without rows.
    """
    fetch, on_rest_response = client.fetch, client.on_rest_response

    async def watched(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        reply = _REPLY.get()
        reply.sent_steady = steady_now()
        content = await fetch(url, method, headers, body)
        if reply.status is not None and reply.status >= _HTTP_BAD:
            raise NoAnswerError(f"HTTP status {reply.status}: {content!r:.100}")
        if not isinstance(content, dict | list):
            raise NoAnswerError(f"expected JSON, found {content!r:.100}")
        return content

    def noted(code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
        reply = _REPLY.get()
        reply.status, reply.headers = code, headers
        return on_rest_response(code, reason, url, method, headers, *rest)

    client.fetch, client.on_rest_response = watched, noted
