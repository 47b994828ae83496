"""Starts the practice exchange: `python -m practice --port 8900`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from aiohttp import web

from common import log
from common.clock import MarketClock, wall_now
from common.errors import ConfigurationError
from practice.arguments import Arguments, parse_arguments
from practice.binance.account import BinanceAccount
from practice.binance.market_data import BinanceMarketData
from practice.binance.signing import BinanceGate
from practice.clock import at_speed
from practice.coinbase.account import CoinbaseAccount
from practice.coinbase.market_data import CoinbaseMarketData
from practice.coinbase.signing import CoinbaseGate
from practice.desk import Desk
from practice.faults import Faults
from practice.fees import fees_of
from practice.keys import Keys
from practice.kraken.account import KrakenAccount
from practice.kraken.market_data import KrakenMarketData
from practice.kraken.signing import KrakenGate
from practice.ledger import Ledger
from practice.markets import market_of, markets_of, replayed, replayed_symbols
from practice.prices import GeneratedPath
from practice.rehearsal import Rehearsal
from practice.replay import ReplayedPath, read_candles
from practice.rights import binance_rights, coinbase_rights, kraken_rights
from practice.server import Routes
from practice.state import load_clock, open_state, save_clock
from practice.venue import Listing, Venue
from practice.weather import Weather

if TYPE_CHECKING:
    from sqlite3 import Connection

    from practice.replay import Rows

_LOG = logging.getLogger("practice")
_SHUTDOWN_S = 0.2
_DEFAULT_SEED = 1
_EXCHANGES = ("binance", "coinbase", "kraken")


def main() -> int:
    """Runs until SIGTERM or SIGINT; the exit status."""
    try:
        arguments = parse_arguments(sys.argv[1:], os.environ)
        _set_up_log()
        asyncio.run(_serve(arguments))
    except ConfigurationError as error:
        print(f"practice: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _set_up_log() -> None:
    """As the other daemons where LOG_FORMAT is given, else plain sentences: most look at them in a terminal."""
    if os.environ.get("LOG_FORMAT"):
        log.set_up()
    else:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    _LOG.setLevel(logging.INFO)


async def _serve(arguments: Arguments) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(
        _compose(arguments),
        access_log=None,
        shutdown_timeout=_SHUTDOWN_S,
        handler_cancellation=True,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, arguments.host, arguments.port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(
            f"--host and --port: expected an address to listen on, "
            f"found {arguments.host}:{arguments.port}: {error.strerror}"
        ) from None
    host, port = runner.addresses[0][:2]
    urls = [
        f"{exchange.upper()}_API_URL=http://{host}:{port}/{exchange}" for exchange in _EXCHANGES
    ]
    _LOG.info("practice exchange is open: %s", " ".join(urls))
    await stopped.wait()
    await runner.cleanup()


def _compose(arguments: Arguments) -> web.Application:
    """The application that those arguments describe."""
    files = [(symbol, read_candles(file)) for symbol, file in arguments.data]
    state = open_state(arguments.state)
    clock, seed = _clock(arguments, state, files)
    app, faults, weather = web.Application(), Faults(), Weather()
    venues = {exchange: _venue(exchange, seed, files) for exchange in _EXCHANGES}
    routes = {exchange: Routes(app, exchange, faults, weather) for exchange in _EXCHANGES}

    desks = {exchange: _desk(venue, state, arguments) for exchange, venue in venues.items()}

    keys = Keys(arguments.secrets, arguments.can_withdraw)
    venue, desk = venues["binance"], desks["binance"]
    BinanceMarketData(venue, clock.now).register(routes["binance"])
    binance_gate = BinanceGate(keys, clock)
    BinanceAccount(venue, desk, binance_gate, clock.now).register(routes["binance"])
    binance_rights(routes["binance"], keys, binance_gate, desk, clock.now)

    venue, desk = venues["coinbase"], desks["coinbase"]
    CoinbaseMarketData(venue, clock.now).register(routes["coinbase"])
    coinbase_gate = CoinbaseGate(keys, clock)
    CoinbaseAccount(venue, desk, coinbase_gate, clock.now).register(routes["coinbase"])
    coinbase_rights(routes["coinbase"], keys, coinbase_gate, desk, clock.now)

    venue, desk = venues["kraken"], desks["kraken"]
    KrakenMarketData(venue, clock.now).register(routes["kraken"])
    kraken_gate = KrakenGate(keys)  # one for all its endpoints: it remembers the nonces
    KrakenAccount(venue, desk, kraken_gate, clock).register(routes["kraken"])
    kraken_rights(routes["kraken"], keys, kraken_gate, desk, clock.now)

    Rehearsal(venues, routes, clock=clock, keys=keys, faults=faults, weather=weather).register(app)
    return app


def _desk(venue: Venue, state: Connection, arguments: Arguments) -> Desk:
    """Where one exchange trades, with an account of its own for every key."""
    ledger = Ledger(state, venue.exchange)
    desk = Desk(venue, ledger, fees_of(venue.exchange, arguments.fee_rate))
    desk.require_markets_of_open_orders()
    for key in arguments.secrets:
        ledger.open_account(key, arguments.balances)
    return desk


def _clock(
    arguments: Arguments, state: Connection, files: list[tuple[str, Rows]]
) -> tuple[MarketClock, int]:
    """The clock of an earlier run where its state was kept, else a new one; and the seed."""
    wall_ms = wall_now()
    if kept := load_clock(state):
        clock, seed = kept
        if arguments.seed not in {None, seed}:
            raise ConfigurationError(
                f"--seed: expected {seed}, as in the kept state, found {arguments.seed}"
            )
        clock = at_speed(clock, arguments.speed or clock.speed, wall_ms)
    else:
        clock = MarketClock(_start_ms(arguments, files, wall_ms), wall_ms, arguments.speed or 1.0)
        seed = _DEFAULT_SEED if arguments.seed is None else arguments.seed
    save_clock(state, clock, seed)
    return clock, seed


def _start_ms(arguments: Arguments, files: list[tuple[str, Rows]], wall_ms: int) -> int:
    if not files:
        return wall_ms if arguments.start_ms is None else arguments.start_ms
    _, rows = files[0]
    start_ms = arguments.start_ms
    if start_ms is None:
        return (rows.first_ms + rows.end_ms) // 2
    if not rows.first_ms <= start_ms < rows.end_ms:
        raise ConfigurationError(
            f"--start: expected a time in the file of --data, from {rows.first_ms} to {rows.end_ms} "
            f"milliseconds since 1970, found {start_ms}"
        )
    return start_ms


def _venue(exchange: str, seed: int, files: list[tuple[str, Rows]]) -> Venue:
    """An exchange's markets: those with a file replay it, the others make their prices up."""
    listings = {
        market.symbol: Listing(market, GeneratedPath(market, exchange, seed))
        for market in markets_of(exchange)
    }
    for named, rows in files:
        for symbol in replayed_symbols(exchange, named):
            path = ReplayedPath(rows)
            market = replayed(market_of(exchange, symbol), path.first_price, path.price_decimals)
            listings[symbol] = Listing(market, path)
    return Venue(exchange, listings.values())


if __name__ == "__main__":
    sys.exit(main())
