"""The public market data of Kraken's REST API, version 0, as its clients see it on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from practice.kraken.names import asset_names, pair_of
from practice.kraken.wire import KrakenError, result_form, whole_number
from practice.tape import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from practice.kraken.names import Pair
    from practice.server import Routes
    from practice.tape import Row
    from practice.venue import Listing, Venue

_MINUTE_MS = 60_000
_INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10_080, 21_600)  # minutes
_MOST_CANDLES = 720


class KrakenMarketData:
    """The endpoints that need no key."""

    def __init__(self, venue: Venue, now_ms: Callable[[], int]) -> None:
        self._currencies = sorted(venue.currencies())
        self._listings = {pair_of(one): listing for one, listing in venue.listings.items()}
        self._pairs = {name: pair for pair in self._listings for name in pair.names}
        self._now_ms = now_ms

    def register(self, routes: Routes) -> None:
        """Adds the endpoints under their names."""
        for endpoint, answer in (
            ("Time", self.time),
            ("SystemStatus", self.system_status),
            ("Assets", self.assets),
            ("AssetPairs", self.asset_pairs),
            ("Ticker", self.ticker),
        ):
            routes.get(f"/0/public/{endpoint}", endpoint, _resulting(answer))
        routes.candles("/0/public/OHLC", "OHLC", self.window, self.ohlc)

    def time(self, _: Mapping[str, str]) -> dict[str, Any]:
        """The exchange's clock, in whole seconds."""
        moment = datetime.fromtimestamp(self._now_ms() // 1000, tz=UTC)
        return {
            "unixtime": int(moment.timestamp()),
            "rfc1123": f"{moment:%a, %d %b %y %H:%M:%S +0000}",
        }

    def system_status(self, _: Mapping[str, str]) -> dict[str, Any]:
        """Tells that the exchange is open."""
        moment = datetime.fromtimestamp(self._now_ms() // 1000, tz=UTC)
        return {"status": "online", "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}

    def assets(self, _: Mapping[str, str]) -> dict[str, Any]:
        """All currencies."""
        return {
            name: {
                "aclass": "currency",
                "altname": short,
                "decimals": 8,
                "display_decimals": 5,
                "status": "enabled",
            }
            for name, short in map(asset_names, self._currencies)
        }

    def asset_pairs(self, query: Mapping[str, str]) -> dict[str, Any]:
        """All markets, or those named in `pair`."""
        return {pair.name: _pair_form(pair, self._listings[pair]) for pair in self._named(query)}

    def ticker(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The last prices of all markets, or of those named in `pair`. It does not say of when."""
        now_ms = self._now_ms()
        return {
            pair.name: _ticker_form(self._listings[pair], now_ms) for pair in self._named(query)
        }

    def window(self, request: web.Request) -> Window:
        """The candles after `since`, at most the newest 720; the open one always."""
        listing = self._listings[self._pair(request.query.get("pair", ""))]
        length_ms = whole_number(request.query, "interval", 1) * _MINUTE_MS
        if length_ms // _MINUTE_MS not in _INTERVALS or not listing.has_candles_of(length_ms):
            raise KrakenError("EGeneral:Invalid arguments")
        now_ms = self._now_ms()
        newest_ms = now_ms // length_ms * length_ms
        oldest_ms = newest_ms - (_MOST_CANDLES - 1) * length_ms
        since_ms = whole_number(request.query, "since", 0) * 1000
        first_ms = min(max(since_ms + 1, oldest_ms), newest_ms)
        return Window(listing, length_ms, first_ms, newest_ms, now_ms)

    def ohlc(self, window: Window, rows: list[Row]) -> dict[str, Any]:
        """Those candles, and where to go on: after the last one that is closed."""
        opens_ms = window.now_ms // window.length_ms * window.length_ms
        return {
            "error": [],
            "result": {
                pair_of(window.listing.market.symbol).name: [_candle_form(row) for row in rows],
                "last": (opens_ms - window.length_ms) // 1000,
            },
        }

    def _named(self, query: Mapping[str, str]) -> Iterable[Pair]:
        if names := query.get("pair"):
            return [self._pair(name) for name in names.split(",")]
        return self._listings

    def _pair(self, name: str) -> Pair:
        if name not in self._pairs:
            raise KrakenError("EQuery:Unknown asset pair")
        return self._pairs[name]


def _resulting(answer: Callable[[Mapping[str, str]], dict[str, Any]]) -> Any:
    """An endpoint that answers in Kraken's form."""

    async def resulting(request: web.Request) -> web.Response:
        return web.json_response(result_form(answer(request.query)))

    return resulting


def _candle_form(row: Row) -> list[Any]:
    is_silent = not float(row.volume or 0)
    average = "0.0" if is_silent else row.close
    prices = (row.open, row.high, row.low, row.close)
    return [row.opens_ms // 1000, *prices, average, row.volume, int(not is_silent)]


def _ticker_form(listing: Listing, now_ms: int) -> dict[str, Any]:
    """Where Kraken tells of today and of the last 24 hours, both are the last 24 hours here."""
    ticker = listing.ticker(now_ms)
    day, price, depth = ticker.day, listing.price_text, f"{listing.market.depth:f}"
    high, low, volume = (int(column[0]) for column in (day.high, day.low, day.volume))
    return {
        "a": [price(ticker.ask), "1", depth],
        "b": [price(ticker.bid), "1", depth],
        "c": [price(ticker.last), f"{listing.market.step:f}"],
        "v": [listing.volume_text(volume)] * 2,
        "p": [price((high + low + ticker.last) // 3)] * 2,
        "t": [len(day)] * 2,
        "l": [price(low)] * 2,
        "h": [price(high)] * 2,
        "o": price(int(day.open[0])),
    }


def _pair_form(pair: Pair, listing: Listing) -> dict[str, Any]:
    market = listing.market
    return {
        "altname": pair.short,
        "wsname": pair.streamed,
        "aclass_base": "currency",
        "base": pair.base,
        "aclass_quote": "currency",
        "quote": pair.quote,
        "lot": "unit",
        "pair_decimals": market.price_decimals,
        "cost_decimals": 8,
        "lot_decimals": market.amount_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{market.step:f}",
        "costmin": f"{market.min_cost:f}",
        "tick_size": f"{market.tick:f}",
        "status": "online",
    }
