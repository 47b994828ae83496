"""One exchange through ccxt: every call bounded in time, every failure an error of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common import exchange as ccxt
from common.candle import FIRST_MARKET
from common.clock import MarketClock, wall_now
from common.errors import ConfigurationError
from common.exchange_calls import Answer, Calls
from common.exchange_failures import NoAnswerError
from common.shown import shown
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from backfiller.planner import Span
    from common.partition import Partition

_MOST_CANDLES = {"binance": 1000, "coinbase": 300, "kraken": 720}
_MOST_CANDLES_ELSEWHERE = 500
_LONGEST_SYMBOL = 64  # characters
_LAST_TIME = 253_402_300_799_999  # the end of the year 9999
_NEWEST_ONLY = {"kraken": 720}  # the open one among them, whatever is asked for


class Source:
    """The market data of one exchange.

    Each call raises TransientError when it may succeed later, and RejectedError when the exchange does not
    have what was asked for.
    """

    def __init__(
        self, exchange: str, *, timeout_s: float, speed: float, environment: Mapping[str, str]
    ) -> None:
        """Raises ConfigurationError for an unknown exchange, an impossible URL or speed."""
        self.exchange = exchange
        self.api_url = ccxt.api_url(exchange, environment)
        if speed != 1.0 and self.api_url is None:
            raise ConfigurationError(
                f"CLOCK_SPEED: expected 1 for the real {exchange} (only a practice exchange, reached by "
                f"{exchange.upper()}_API_URL, can be faster), found {speed:g}"
            )
        self.speed = speed
        self._client = ccxt.connect(exchange, environment=environment, timeout_s=timeout_s)
        self._calls = Calls(self._client, timeout_s)

    @property
    def most_candles(self) -> int:
        """How many candles one answer holds."""
        told = (self._client.features or {}).get("spot") or {}
        limit = (told.get("fetchOHLCV") or {}).get("limit")
        return _MOST_CANDLES.get(self.exchange) or limit or _MOST_CANDLES_ELSEWHERE

    @property
    def gives_newest(self) -> int | None:
        """How many candles the exchange gives, the open one among them; None: there is no limit."""
        return _NEWEST_ONLY.get(self.exchange)

    def reach(self, timeframe: Timeframe, now: int) -> int | None:
        """The oldest open time that the exchange gives at `now`, by its clock; None: there is no limit."""
        gives = self.gives_newest
        return (
            None if gives is None else timeframe.floor(now) - (gives - 1) * timeframe.milliseconds
        )

    @property
    def timeframes(self) -> list[Timeframe]:
        """Those that the exchange offers, of those that the suite stores."""
        if self._client.has.get("fetchOHLCV") is not True:
            return []  # it has none, or ccxt would make them of the trades of the last minutes
        offered = self._client.timeframes or {}
        return [timeframe for timeframe in Timeframe if timeframe.value in offered]

    @property
    def precision_mode(self) -> int:
        """What the markets' precisions are, in ccxt's code: steps, or numbers of decimal places."""
        return int(self._client.precisionMode)

    async def markets(self) -> dict[str, dict[str, Any]]:
        """The spot markets by symbol, in ccxt's form."""
        parameters = ccxt.MARKET_PARAMETERS.get(self.exchange, {})
        answer = await self._calls.ask(self._client.load_markets, True, parameters)
        markets = _mapping("the list of markets", answer.content)
        for market in markets.values():
            market["info"] = None  # the raw answer: megabytes that nothing here reads
        return {
            symbol: market
            for symbol, market in markets.items()
            if market.get("spot") and isinstance(symbol, str) and len(symbol) <= _LONGEST_SYMBOL
        }

    async def clock(self) -> MarketClock:
        """The exchange's clock. It is never ahead: the answer is taken for the time it arrived."""
        own = _CLOCKS.get(self.exchange)
        if own is None and not self._client.has.get("fetchTime"):
            now = wall_now()
            return MarketClock(now, now, self.speed)
        answer = await self._calls.ask(own(self._client) if own else self._client.fetch_time)
        content = answer.content
        if own:
            content = _mapping("the time", content).get("epochMillis")
        try:
            told = int(content)
        except (TypeError, ValueError, OverflowError):
            told = 0
        if not FIRST_MARKET <= told <= _LAST_TIME:
            raise NoAnswerError(f"expected a time in milliseconds, found {shown(content)}")
        return MarketClock(told, answer.arrived_at, self.speed)

    async def candles(self, partition: Partition, window: Span) -> Answer:
        """The candles of a window, as a list of whatever the exchange says they are."""
        count = window.count(partition.timeframe.milliseconds)
        answer = await self._calls.ask(
            self._client.fetch_ohlcv,
            partition.symbol,
            partition.timeframe.value,
            window.first,
            count,
            {"until": window.last},
            about_symbol=True,
        )
        if not isinstance(answer.content, list):
            raise NoAnswerError(f"expected a list of candles, found {shown(answer.content)}")
        return answer

    async def tickers(self, symbols: Sequence[str]) -> Answer:
        """The tickers of those symbols, in ccxt's form: one call where the exchange allows it."""
        if self._client.has.get("fetchTickers"):
            answer = await self._calls.ask(
                self._client.fetch_tickers, list(symbols), about_symbol=True
            )
            _mapping("tickers", answer.content)
            return answer
        answers = [
            await self._calls.ask(self._client.fetch_ticker, symbol, about_symbol=True)
            for symbol in symbols
        ]
        content = {symbol: answer.content for symbol, answer in zip(symbols, answers, strict=True)}
        return Answer(content, answers[0].sent_at, answers[-1].arrived_at)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._client.close()


# Coinbase's unified fetch_time is cut to whole seconds; this answer of the same API is not.
_CLOCKS: dict[str, Callable[[Any], Callable[[], Awaitable[Any]]]] = {
    "coinbase": lambda client: client.v3PublicGetBrokerageTime
}


def _mapping(what: str, content: Any) -> dict[str, Any]:
    if not isinstance(content, dict) or not content:
        raise NoAnswerError(f"expected {what}, found {shown(content)}")
    return content
