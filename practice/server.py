"""The HTTP server: every exchange under its own prefix, the rehearsal endpoints under /practice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Collects the endpoints of one exchange and counts how often each is called."""

    def __init__(self, app: web.Application, exchange: str) -> None:
        self._app = app
        self.exchange = exchange
        self.calls: Counter[str] = Counter()

    def get(self, path: str, endpoint: str, handler: Handler) -> None:
        """Answers GET requests to that path."""
        self.add("GET", path, endpoint, handler)

    def add(self, method: str, path: str, endpoint: str, handler: Handler) -> None:
        """Answers requests to that path; `endpoint` is the name it has in counts and faults."""

        async def counted(request: web.Request) -> web.StreamResponse:
            self.calls[endpoint] += 1
            return await handler(request)

        self._app.router.add_route(method, f"/{self.exchange}{path}", counted)
