"""What a rehearsal asks of the practice exchange itself, under /practice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from common.errors import ConfigurationError
from common.timeframe import Timeframe
from practice.fault import Fault
from practice.tape import Window, printed
from practice.weather import Forecast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.clock import MarketClock
    from practice.faults import Faults
    from practice.keys import Keys
    from practice.server import Routes
    from practice.venue import Listing, Venue
    from practice.weather import Weather

_DEFAULT_CANDLES, _MOST_CANDLES = 500, 10_000


class Rehearsal:
    """The endpoints for tests, demos and people who want to look behind the scenes."""

    def __init__(
        self,
        venues: Mapping[str, Venue],
        routes: Mapping[str, Routes],
        *,
        clock: MarketClock,
        keys: Keys,
        faults: Faults,
        weather: Weather,
    ) -> None:
        self._venues = venues
        self._routes = routes
        self._clock = clock
        self._keys = keys
        self._faults = faults
        self._weather = weather

    def register(self, app: web.Application) -> None:
        """Adds the endpoints."""
        app.router.add_get("/practice/health", self.health)
        app.router.add_get("/practice/clock", self.clock)
        app.router.add_get("/practice/candles", self.candles)
        app.router.add_get("/practice/calls", self.calls)
        app.router.add_put("/practice/keys/{key}", self.change_key)
        app.router.add_delete("/practice/keys/{key}", self.change_key)
        app.router.add_get("/practice/faults", self.faults)
        app.router.add_post("/practice/faults", self.add_faults)
        app.router.add_delete("/practice/faults", self.clear_faults)
        app.router.add_get("/practice/weather", self.weather)
        app.router.add_post("/practice/weather", self.change_weather)
        app.router.add_delete("/practice/weather", self.clear_weather)

    async def health(self, _: web.Request) -> web.Response:
        """Tells that the server answers, and which markets it has."""
        markets = {name: list(venue.listings) for name, venue in self._venues.items()}
        return web.json_response({"status": "ok", "markets": markets})

    async def clock(self, _: web.Request) -> web.Response:
        """Market time, and how many seconds of it pass in a second."""
        return web.json_response({"now_ms": self._clock.now(), "speed": self._clock.speed})

    async def calls(self, _: web.Request) -> web.Response:
        """How often each endpoint of each exchange was called since the start."""
        return web.json_response({name: dict(one.calls) for name, one in self._routes.items()})

    async def change_key(self, request: web.Request) -> web.Response:
        """Revokes a key, or makes it valid again; the keys that are valid now."""
        try:
            self._keys.change(request.match_info["key"], valid=request.method == "PUT")
        except ConfigurationError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(sorted(self._keys))

    async def faults(self, _: web.Request) -> web.Response:
        """The faults that still wait."""
        return web.json_response(self._faults.waiting())

    async def add_faults(self, request: web.Request) -> web.Response:
        """Lets a fault wait for a request, or several of them in a list."""
        try:
            wanted = json.loads(await request.text())
            faults = [
                Fault.parse(one) for one in (wanted if isinstance(wanted, list) else [wanted])
            ]
        except (ConfigurationError, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response([self._faults.add(fault) for fault in faults])

    async def clear_faults(self, _: web.Request) -> web.Response:
        """Forgets all faults."""
        self._faults.clear()
        return web.json_response([])

    async def weather(self, _: web.Request) -> web.Response:
        """The weather and what it has done; null where it is fair."""
        return web.json_response(self._weather.told())

    async def change_weather(self, request: web.Request) -> web.Response:
        """Begins another weather."""
        try:
            self._weather.change(Forecast.parse(json.loads(await request.text())))
        except (ConfigurationError, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(self._weather.told())

    async def clear_weather(self, _: web.Request) -> web.Response:
        """Ends the weather."""
        self._weather.change(None)
        return web.json_response(None)

    async def candles(self, request: web.Request) -> web.Response:
        """The truth: closed candles from `since` on, oldest first, without silent ones on Coinbase."""
        try:
            return web.json_response(await self._closed_candles(request))
        except ConfigurationError as error:
            return web.json_response({"error": str(error)}, status=400)

    async def _closed_candles(self, request: web.Request) -> list[list[float]]:
        listing = self._listing(request)
        length_ms = Timeframe.parse(request.query.get("timeframe", "")).milliseconds
        if not listing.has_candles_of(length_ms):
            raise ConfigurationError(
                f"timeframe: expected a multiple of {listing.path.unit_ms // 60_000} minutes, "
                f"found {request.query['timeframe']!r}"
            )
        limit = min(_number(request, "limit", _DEFAULT_CANDLES) or 1, _MOST_CANDLES)
        now_ms = self._clock.now()
        newest_ms = now_ms // length_ms * length_ms - length_ms
        since_ms = _number(request, "since", newest_ms - (limit - 1) * length_ms)
        since_ms = max(since_ms, listing.first_ms(length_ms))
        keeps_silence = request.query["exchange"] != "coinbase"
        rows: list[list[float]] = []
        while since_ms <= newest_ms and len(rows) < limit:
            last_ms = min(since_ms + (limit - 1) * length_ms, newest_ms)
            window = Window(listing, length_ms, since_ms, last_ms, now_ms, keeps_silence)
            rows += [
                [row.opens_ms, *(float(text or 0) for text in row[1:])]
                for row in await printed(window)
            ]
            since_ms = last_ms + 1
        return rows[:limit]

    def _listing(self, request: web.Request) -> Listing:
        exchange = request.query.get("exchange", "")
        if exchange not in self._venues:
            raise ConfigurationError(
                f"exchange: expected one of {', '.join(self._venues)}, found {exchange!r}"
            )
        symbol = request.query.get("symbol", "")
        listings = self._venues[exchange].listings
        if symbol not in listings:
            raise ConfigurationError(
                f"symbol: expected one of {', '.join(listings)}, found {symbol!r}"
            )
        return listings[symbol]


def _number(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not value.isdecimal():
        raise ConfigurationError(f"{name}: expected a whole number, found {value!r}")
    return int(value)
