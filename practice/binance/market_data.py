"""The market data of Binance's spot API, version 3, as its clients see it on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from practice.binance.wire import BinanceError, listing_of, required, whole_number
from practice.markets import MOST_AMOUNT
from practice.tape import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from practice.server import Routes
    from practice.tape import Row
    from practice.venue import Listing, Ticker, Venue

_MINUTE = 60_000
_INTERVALS = {
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": 60 * _MINUTE,
    "2h": 120 * _MINUTE,
    "4h": 240 * _MINUTE,
    "6h": 360 * _MINUTE,
    "8h": 480 * _MINUTE,
    "12h": 720 * _MINUTE,
    "1d": 1440 * _MINUTE,
}
_DEFAULT_KLINES, _MOST_KLINES = 500, 1000


class BinanceMarketData:
    """The endpoints that need no key."""

    def __init__(self, venue: Venue, now_ms: Callable[[], int]) -> None:
        self._listings = venue.by_id("")
        self._now_ms = now_ms

    def register(self, routes: Routes) -> None:
        """Adds the endpoints under their names."""
        routes.get("/api/v3/ping", "ping", self.ping)
        routes.get("/api/v3/time", "time", self.time)
        routes.get("/api/v3/exchangeInfo", "exchangeInfo", self.exchange_info)
        routes.candles("/api/v3/klines", "klines", self.window, _klines)
        routes.get("/api/v3/ticker/24hr", "ticker/24hr", self.tickers(day_ticker))
        routes.get("/api/v3/ticker/bookTicker", "ticker/bookTicker", self.tickers(book_ticker))
        routes.get("/api/v3/ticker/price", "ticker/price", self.tickers(price_ticker))

    async def ping(self, _: web.Request) -> web.Response:
        """Tells that the exchange is there."""
        return web.json_response({})

    async def time(self, _: web.Request) -> web.Response:
        """The exchange's clock."""
        return web.json_response({"serverTime": self._now_ms()})

    async def exchange_info(self, _: web.Request) -> web.Response:
        """All markets."""
        symbols = [_symbol_info(name, listing) for name, listing in self._listings.items()]
        return web.json_response(
            {
                "timezone": "UTC",
                "serverTime": self._now_ms(),
                "rateLimits": [],
                "exchangeFilters": [],
                "symbols": symbols,
            }
        )

    def window(self, request: web.Request) -> Window:
        """The candles from `startTime` on where it is given, else the newest, the open one too."""
        listing = listing_of(self._listings, required(request.query, "symbol"))
        length_ms = _length_ms(listing, required(request.query, "interval"))
        limit = min(whole_number(request.query, "limit", _DEFAULT_KLINES), _MOST_KLINES)
        now_ms = self._now_ms()
        end_ms = min(whole_number(request.query, "endTime", now_ms), now_ms)
        newest_ms = end_ms // length_ms * length_ms
        start_ms = whole_number(request.query, "startTime", newest_ms - (limit - 1) * length_ms)
        start_ms = max(start_ms, listing.first_ms(length_ms))
        last_ms = -(-start_ms // length_ms) * length_ms + (limit - 1) * length_ms
        return Window(listing, length_ms, start_ms, min(newest_ms, last_ms), now_ms)

    def tickers(
        self, form: Callable[[Listing, Ticker], dict[str, Any]]
    ) -> Callable[[web.Request], Any]:
        """An endpoint that answers one symbol, a JSON list of some, or all."""

        async def answer(request: web.Request) -> web.Response:
            now_ms = self._now_ms()

            def told(name: str) -> dict[str, Any]:
                listing = listing_of(self._listings, name)
                return {"symbol": name, **form(listing, listing.ticker(now_ms))}

            if name := request.query.get("symbol"):
                return web.json_response(told(name))
            names = self._some_or_all(request.query.get("symbols"))
            return web.json_response([told(name) for name in names])

        return answer

    def _some_or_all(self, symbols: str | None) -> list[str]:
        if symbols is None:
            return list(self._listings)
        try:
            names = json.loads(symbols)
        except json.JSONDecodeError:
            names = None
        if not isinstance(names, list):
            raise BinanceError(-1100, "Illegal characters found in parameter 'symbols'.")
        return [str(name) for name in names]


def day_ticker(listing: Listing, ticker: Ticker) -> dict[str, Any]:
    """The price now, and what happened in the last 24 hours."""
    price, day = listing.price_text, ticker.day
    opened, volume = int(day.open[0]), float(listing.volume_text(int(day.volume[0])))
    average = (int(day.high[0]) + int(day.low[0]) + ticker.last) // 3
    change = ticker.last - opened
    return {
        **book_ticker(listing, ticker),
        "priceChange": f"{change / 10**listing.path.price_decimals:.8f}",
        "priceChangePercent": f"{100 * change / opened:.3f}",
        "weightedAvgPrice": price(average),
        "prevClosePrice": price(opened),
        "lastPrice": price(ticker.last),
        "openPrice": price(opened),
        "highPrice": price(int(day.high[0])),
        "lowPrice": price(int(day.low[0])),
        "volume": listing.volume_text(int(day.volume[0])),
        "quoteVolume": f"{volume * float(price(average)):.8f}",
        "openTime": ticker.timestamp_ms - 86_400_000,
        "closeTime": ticker.timestamp_ms,
    }


def book_ticker(listing: Listing, ticker: Ticker) -> dict[str, Any]:
    """The best prices of the order book."""
    depth = f"{listing.market.depth:f}"
    return {
        "bidPrice": listing.price_text(ticker.bid),
        "bidQty": depth,
        "askPrice": listing.price_text(ticker.ask),
        "askQty": depth,
    }


def price_ticker(listing: Listing, ticker: Ticker) -> dict[str, Any]:
    """The last price."""
    return {"price": listing.price_text(ticker.last)}


def _length_ms(listing: Listing, interval: str) -> int:
    length_ms = _INTERVALS.get(interval)
    if length_ms is None or not listing.has_candles_of(length_ms):
        raise BinanceError(-1120, "Invalid interval.")
    return length_ms


def _klines(window: Window, rows: list[Row]) -> list[list[Any]]:
    return [
        [
            *row,
            row.opens_ms + window.length_ms - 1,
            f"{float(row.volume or 0) * float(row.close or 0):.8f}",
            int(float(row.volume or 0) > 0),
            "0",
            "0",
            "0",
        ]
        for row in rows
    ]


def _symbol_info(name: str, listing: Listing) -> dict[str, Any]:
    market = listing.market
    tick, step = f"{market.tick:f}", f"{market.step:f}"
    lot = {"minQty": step, "maxQty": f"{MOST_AMOUNT}.00000000", "stepSize": step}
    return {
        "symbol": name,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "1000000.00000000",
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", **lot},
            {
                "filterType": "NOTIONAL",
                "minNotional": f"{market.min_cost:.8f}",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
    }
