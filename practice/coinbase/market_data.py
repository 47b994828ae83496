"""The public market data of Coinbase's Advanced Trade API, as its clients see it on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from practice.coinbase.wire import BROKERAGE, CoinbaseError, iso
from practice.markets import MOST_AMOUNT
from practice.tape import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from practice.server import Routes
    from practice.tape import Row
    from practice.venue import Listing, Venue

_MINUTE = 60_000
_GRANULARITIES = {
    "ONE_MINUTE": _MINUTE,
    "FIVE_MINUTE": 5 * _MINUTE,
    "FIFTEEN_MINUTE": 15 * _MINUTE,
    "THIRTY_MINUTE": 30 * _MINUTE,
    "ONE_HOUR": 60 * _MINUTE,
    "TWO_HOUR": 120 * _MINUTE,
    "SIX_HOUR": 360 * _MINUTE,
    "ONE_DAY": 1440 * _MINUTE,
}
_MOST_CANDLES = 350


class CoinbaseMarketData:
    """The endpoints that need no key."""

    def __init__(self, venue: Venue, now_ms: Callable[[], int]) -> None:
        self._listings = venue.by_id("-")
        self._now_ms = now_ms

    def register(self, routes: Routes) -> None:
        """Adds the endpoints under their names."""
        products = f"{BROKERAGE}/market/products"
        routes.get("/v2/time", "time", self.time_v2)
        routes.get("/v2/currencies", "currencies", self.nothing_v2)
        routes.get("/v2/currencies/crypto", "currencies", self.nothing_v2)
        routes.get("/v2/exchange-rates", "exchange-rates", self.exchange_rates)
        routes.get(f"{BROKERAGE}/time", "time", self.time)
        routes.get(products, "products", self.products)
        routes.get(f"{products}/{{product_id}}", "product", self.product)
        routes.candles(f"{products}/{{product_id}}/candles", "candles", self.window, _candles)
        routes.get(f"{products}/{{product_id}}/ticker", "ticker", self.ticker)

    async def time_v2(self, _: web.Request) -> web.Response:
        """The exchange's clock, in whole seconds."""
        now_ms = self._now_ms()
        return web.json_response({"data": {"epoch": now_ms // 1000, "iso": iso(now_ms)}})

    async def time(self, _: web.Request) -> web.Response:
        """The exchange's clock."""
        now_ms = self._now_ms()
        return web.json_response(
            {
                "iso": iso(now_ms),
                "epochSeconds": str(now_ms // 1000),
                "epochMillis": str(now_ms),
            }
        )

    async def nothing_v2(self, _: web.Request) -> web.Response:
        """The list of currencies, which clients can do without."""
        return web.json_response({"data": []})

    async def exchange_rates(self, _: web.Request) -> web.Response:
        """The rates of currencies, which clients can do without."""
        return web.json_response({"data": {"currency": "USD", "rates": {}}})

    async def products(self, request: web.Request) -> web.Response:
        """All markets, or those of `product_ids`, with their last prices."""
        now_ms = self._now_ms()
        names = request.query.getall("product_ids", [])
        if request.query.get("product_type", "SPOT") != "SPOT":
            listings = {}
        elif names:
            listings = {name: self._listings[name] for name in names if name in self._listings}
        else:
            listings = self._listings
        found = [_product(name, listing, now_ms) for name, listing in listings.items()]
        return web.json_response({"products": found, "num_products": len(found)})

    async def product(self, request: web.Request) -> web.Response:
        """One market."""
        name, listing = self._listing(request)
        return web.json_response(_product(name, listing, self._now_ms()))

    def window(self, request: web.Request) -> Window:
        """The candles from `start` to `end`, without those in which nothing traded."""
        _, listing = self._listing(request)
        length_ms = _length_ms(listing, request.query.get("granularity", ""))
        start_ms, end_ms = _seconds(request, "start") * 1000, _seconds(request, "end") * 1000
        if end_ms - start_ms > _MOST_CANDLES * length_ms:
            raise CoinbaseError(
                "INVALID_ARGUMENT",
                f"number of candles requested should be less than {_MOST_CANDLES}",
            )
        return Window(listing, length_ms, start_ms, end_ms, self._now_ms(), keeps_silence=False)

    async def ticker(self, request: web.Request) -> web.Response:
        """The last trade and the best prices of the order book."""
        name, listing = self._listing(request)
        now_ms = self._now_ms()
        ticker = listing.ticker(now_ms)
        trade = {
            "trade_id": str(now_ms),
            "product_id": name,
            "price": listing.price_text(ticker.last),
            "size": f"{listing.market.step:f}",
            "time": iso(now_ms),
            "side": "BUY",
            "bid": "",
            "ask": "",
        }
        return web.json_response(
            {
                "trades": [trade],
                "best_bid": listing.price_text(ticker.bid),
                "best_ask": listing.price_text(ticker.ask),
            }
        )

    def _listing(self, request: web.Request) -> tuple[str, Listing]:
        name = request.match_info["product_id"]
        if name not in self._listings:
            raise CoinbaseError("NOT_FOUND", f"product {name} not found", status=404)
        return name, self._listings[name]


def _length_ms(listing: Listing, granularity: str) -> int:
    length_ms = _GRANULARITIES.get(granularity)
    if length_ms is None or not listing.has_candles_of(length_ms):
        raise CoinbaseError("INVALID_ARGUMENT", f"granularity {granularity} is invalid")
    return length_ms


def _candles(_: Window, rows: list[Row]) -> dict[str, Any]:
    """Those candles, newest first."""
    names = ("open", "high", "low", "close", "volume")
    return {
        "candles": [
            {"start": str(row.opens_ms // 1000), **dict(zip(names, row[1:], strict=True))}
            for row in rows[::-1]
        ]
    }


def _product(name: str, listing: Listing, now_ms: int) -> dict[str, Any]:
    market, ticker = listing.market, listing.ticker(now_ms)
    opened = int(ticker.day.open[0])
    return {
        "product_id": name,
        "price": listing.price_text(ticker.last),
        "price_percentage_change_24h": f"{100 * (ticker.last - opened) / opened:.8f}",
        "volume_24h": listing.volume_text(int(ticker.day.volume[0])),
        "base_increment": f"{market.step:f}",
        "quote_increment": f"{market.tick:f}",
        "price_increment": f"{market.tick:f}",
        "quote_min_size": f"{market.min_cost:f}",
        "quote_max_size": "150000000",
        "base_min_size": f"{market.step:f}",
        "base_max_size": str(MOST_AMOUNT),
        "base_name": market.base,
        "quote_name": market.quote,
        "base_currency_id": market.base,
        "quote_currency_id": market.quote,
        "base_display_symbol": market.base,
        "quote_display_symbol": market.quote,
        "display_name": name,
        "product_type": "SPOT",
        "product_venue": "CBE",
        "status": "online",
        "is_disabled": False,
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": False,
        "auction_mode": False,
        "view_only": False,
        "alias": "",
        "alias_to": [],
    }


def _seconds(request: web.Request, name: str) -> int:
    value = request.query.get(name, "")
    if not value.isdecimal():
        raise CoinbaseError("INVALID_ARGUMENT", f"{name}: expected seconds since 1970")
    return int(value)
