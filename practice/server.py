"""The endpoints of one exchange under its own prefix: counted, and struck by the faults that wait."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aiohttp import web

from practice.faults import suffer
from practice.tape import rows_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from practice.faults import Faults
    from practice.tape import Row, Window

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MARKET_KEYS = ("product_id", "symbol", "pair")  # at coinbase, binance and kraken


class Routes:
    """Where an exchange's API registers its endpoints."""

    def __init__(self, app: web.Application, exchange: str, faults: Faults) -> None:
        self._app = app
        self._faults = faults
        self.exchange = exchange
        self.calls: Counter[str] = Counter()

    def get(self, path: str, endpoint: str, handler: Handler) -> None:
        """Answers GET requests to that path."""
        self.add("GET", path, endpoint, handler)

    def candles(
        self,
        path: str,
        endpoint: str,
        read: Callable[[web.Request], Window],
        form: Callable[[Window, list[Row]], Any],
    ) -> None:
        """Answers GET requests for candles.

        Args:
            path: of the endpoint.
            endpoint: its name in counts and faults.
            read: which candles a request asks for.
            form: how the exchange puts them in JSON.
        """

        async def answer(request: web.Request) -> web.StreamResponse:
            window = read(request)
            return web.json_response(form(window, rows_of(window)))

        self.get(path, endpoint, answer)

    def add(self, method: str, path: str, endpoint: str, handler: Handler) -> None:
        """Answers requests to that path; `endpoint` is the name it has in counts and faults."""

        async def answer(request: web.Request) -> web.StreamResponse:
            self.calls[endpoint] += 1
            fault = self._faults.next_for(self.exchange, endpoint, await _market(request))
            if fault is None:
                return await handler(request)
            return await suffer(fault, request, handler)

        self._app.router.add_route(method, f"/{self.exchange}{path}", answer)


async def _market(request: web.Request) -> str:
    """The market that a request is about, as the exchange writes it; empty where it names none."""
    named = {**request.match_info, **request.query, **await request.post()}
    return next((str(named[key]) for key in _MARKET_KEYS if key in named), "")
