"""Starts the practice exchange: `python -m practice --port 8900`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from aiohttp import web

from common.clock import MarketClock, wall_now
from common.errors import ConfigurationError
from practice.arguments import Arguments, parse_arguments
from practice.binance import BinanceMarketData
from practice.clock import at_speed
from practice.coinbase import CoinbaseMarketData
from practice.markets import markets_of
from practice.prices import GeneratedPath
from practice.rehearsal import Rehearsal
from practice.server import Routes
from practice.state import load_clock, open_state, save_clock
from practice.venue import Listing, Venue

_LOG = logging.getLogger("practice")
_SHUTDOWN_S = 0.5
_DEFAULT_SEED = 1
_APIS: dict[str, type[BinanceMarketData] | type[CoinbaseMarketData]] = {
    "binance": BinanceMarketData,
    "coinbase": CoinbaseMarketData,
}


def main() -> int:
    """Runs until SIGTERM or SIGINT; the exit status."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        asyncio.run(_serve(parse_arguments(sys.argv[1:])))
    except ConfigurationError as error:
        _LOG.error("practice: %s", error)
        return 2
    return 0


async def _serve(arguments: Arguments) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(_compose(arguments), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, arguments.host, arguments.port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(
            f"--port: expected a free one, found {arguments.port}: {error.strerror}"
        ) from None
    host, port = runner.addresses[0][:2]
    urls = [f"{exchange.upper()}_API_URL=http://{host}:{port}/{exchange}" for exchange in _APIS]
    _LOG.info("practice exchange is open: %s", " ".join(urls))
    await stopped.wait()
    await runner.cleanup()


def _compose(arguments: Arguments) -> web.Application:
    """The application that those arguments describe."""
    clock, seed = _clock(arguments)

    app = web.Application()
    venues = {exchange: _venue(exchange, seed) for exchange in _APIS}
    routes = {exchange: Routes(app, exchange) for exchange in _APIS}
    for exchange, api in _APIS.items():
        api(venues[exchange], clock.now).register(routes[exchange])
    Rehearsal(venues, routes, clock).register(app)
    return app


def _clock(arguments: Arguments) -> tuple[MarketClock, int]:
    """The clock of an earlier run where its state was kept, else a new one; and the seed."""
    state = open_state(arguments.state)
    wall_ms = wall_now()
    if kept := load_clock(state):
        clock, seed = kept
        if arguments.seed not in {None, seed}:
            raise ConfigurationError(
                f"--seed: expected {seed}, as in the kept state, found {arguments.seed}"
            )
        clock = at_speed(clock, arguments.speed or clock.speed, wall_ms)
    else:
        start_ms = wall_ms if arguments.start_ms is None else arguments.start_ms
        clock = MarketClock(start_ms, wall_ms, arguments.speed or 1.0)
        seed = _DEFAULT_SEED if arguments.seed is None else arguments.seed
    save_clock(state, clock, seed)
    return clock, seed


def _venue(exchange: str, seed: int) -> Venue:
    markets = markets_of(exchange)
    return Venue(
        exchange, [Listing(market, GeneratedPath(market, exchange, seed)) for market in markets]
    )


if __name__ == "__main__":
    sys.exit(main())
