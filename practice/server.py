"""The endpoints of one exchange under its own prefix: counted, and struck by the faults that wait."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from aiohttp import web

from practice.fault import MISPRINTS
from practice.misprints import misprinted
from practice.tape import printed
from practice.wire import suffer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from practice.faults import Faults
    from practice.tape import Row, Window
    from practice.weather import Weather
    from practice.wire import Handler

_MARKET_KEYS = ("product_id", "symbol", "pair")  # at coinbase, binance and kraken


class Routes:
    """Where an exchange's API registers its endpoints."""

    def __init__(
        self, app: web.Application, exchange: str, faults: Faults, weather: Weather
    ) -> None:
        self._app = app
        self._faults = faults
        self._weather = weather
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
            rows = self._faults.misprinted(self.exchange, window, await printed(window))
            if fault := request.get("misprint"):
                rows = misprinted(fault, window, rows, "", 0)
            return web.json_response(form(window, rows))

        self.add("GET", path, endpoint, answer, has_candles=True)

    def add(
        self, method: str, path: str, endpoint: str, handler: Handler, *, has_candles: bool = False
    ) -> None:
        """Answers requests to that path; `endpoint` is the name it has in counts and faults."""

        async def answer(request: web.Request) -> web.StreamResponse:
            self.calls[endpoint] += 1
            if request.content_type.startswith("multipart/"):  # no exchange's form
                raise web.HTTPUnsupportedMediaType
            place = (self.exchange, endpoint, await _market(request))
            fault = self._faults.next_for(*place)
            fault = fault or self._weather.next_for(*place, has_candles=has_candles)
            if fault and fault.kind not in MISPRINTS:
                return await suffer(fault, request, handler)
            request["misprint"] = fault
            return await handler(request)

        self._app.router.add_route(method, f"/{self.exchange}{path}", answer)


async def _market(request: web.Request) -> str:
    """The market that a request is about, as the exchange writes it; empty where it names none."""
    named = {**request.match_info, **request.query, **await _body(request)}
    return next((str(named[key]) for key in _MARKET_KEYS if key in named), "")


async def _body(request: web.Request) -> Mapping[str, Any]:
    """What the body of a request names: a form at binance and kraken, JSON at coinbase."""
    if request.content_type != "application/json":
        return await request.post()
    try:
        sent = json.loads(await request.read() or b"{}")
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}
