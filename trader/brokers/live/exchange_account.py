"""A trader's account at an exchange: each method is a question or an order, and waits for its answer.

ccxt's asynchronous client is used, since the other one has no limit for an answer that drips; it runs in a
loop of its own, one call at a time. Numbers are taken as text and made decimals, so that no digit is lost.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from common import exchange as ccxt
from common.errors import ConfigurationError
from common.exchange_calls import Calls
from common.exchange_failures import Reply
from trader.brokers.live.answers import (
    fee,
    identity,
    moment,
    number,
    reading,
    require_agreement,
    require_of,
    seen,
)
from trader.brokers.live.errors import (
    NotDoneError,
    RefusedError,
    UnclearError,
    UnknownOrderError,
    meaning,
)
from trader.brokers.live.ways import WAYS
from trader.core.money import exactly, plain
from trader.core.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from decimal import Decimal

    from trader.brokers.live.answers import Seen
    from trader.brokers.live.ways import Raw
    from trader.core.order import Order
    from trader.stop import Stop

T = TypeVar("T")
_NO_SUCH_ORDER = '"NOT_FOUND"'  # Coinbase's word, of which ccxt makes a plain ExchangeError
_CLOCKS_DIFFER_MS = 3_155_760_000_000  # a hundred years: a practice exchange shows any time
EXCHANGES = tuple(WAYS)
TIMEOUT_S = 8.0  # of one request: a health check notices a daemon that hangs for 30 s


class ExchangeAccount:
    """The account that the credentials open; of one symbol.

    Methods raise RefusedError (nothing was done), UnknownOrderError, NotDoneError (nothing was done, try again)
    or UnclearError (nobody knows); see `errors`.
    """

    def __init__(
        self,
        exchange: str,
        symbol: str,
        credentials: Mapping[str, str],
        environment: Mapping[str, str],
        *,
        stop: Stop,
        **overrides: Any,
    ) -> None:
        """Once `stop` is set nothing is asked, and no answer waited for. `overrides` are options of ccxt's.

        Raises:
            ConfigurationError: the secret cannot sign. It is not shown.
        """
        self._exchange = exchange
        self._symbol = symbol
        self._ways = WAYS[exchange]
        self._stop = stop
        self._secrets = tuple(filter(None, credentials.values()))
        self._runner = asyncio.Runner()
        self._client = ccxt.connect(
            exchange,
            credentials=credentials,
            environment=environment,
            timeout_s=TIMEOUT_S,
            **{"rollingWindowSize": self._ways.turn_within_ms, **overrides},
        )
        self._client.number = str
        self._calls = Calls(self._client, TIMEOUT_S)
        self._require_signing()
        self._has_clock = self._has_markets = False

    @property
    def look_every_s(self) -> float:
        """How often to look at an order that rests, in seconds."""
        return self._ways.look_every_s

    @property
    def gone_after_s(self) -> float:
        """After how many seconds an order that is not there will never be, should it still arrive."""
        return self._ways.gone_after_s

    def open(self) -> None:
        """Reads the exchange's clock and what it trades, once; the clock also after it was found to be off."""
        if not self._has_clock:
            self._read_clock()
            self._has_clock = True
        if not self._has_markets:
            parameters = ccxt.MARKET_PARAMETERS.get(self._exchange, {})
            self._ask(lambda: self._client.load_markets(True, parameters))
            if self._symbol not in (self._client.markets or {}):
                raise UnclearError(f"expected a market {self._symbol}, found none in the list")
            self._has_markets = True

    def close(self) -> None:
        """Gives the connections back."""
        self._runner.run(self._client.close())
        self._runner.close()

    def place(self, order: Order, expires_at: int) -> str | None:
        """Sends an order; the exchange's id of it, None where the answer does not tell.

        `expires_at` is when it is to be refused if it has not arrived, by the exchange's clock.
        """
        sent = self._ask(
            lambda: self._client.create_order(
                order.symbol,
                order.type.value,
                order.side.value,
                format(order.amount, "f"),
                None if order.price is None else format(order.price, "f"),
                self._ways.to_place(order, expires_at),
            )
        )
        with reading("an order", sent):
            return identity(sent["id"]) if sent.get("id") else None

    def find(self, order: Order) -> Seen | None:
        """The order by its own id; None if the exchange has none."""
        found = self._ask(lambda: self._ways.find(self._client, order))
        return None if found is None else seen(found)

    def lost(self, order: Order, since: int) -> Seen | None:
        """The order, for books that have never sent it; see `Ways.lost`. `since` is in milliseconds UTC."""
        found = self._ask(lambda: self._ways.lost(self._client, order, since))
        return None if found is None else seen(found)

    def look(self, order: Order) -> Seen:
        """The order by the exchange's id."""
        try:
            found = self._ask(
                lambda: self._client.fetch_order(order.exchange_order_id, order.symbol)
            )
        except RefusedError as error:
            if _NO_SUCH_ORDER in str(error):
                raise UnknownOrderError(str(error)) from error
            raise
        return seen(found)

    def cancel(self, order: Order) -> None:
        """Has the exchange take the order back."""
        self._ask(lambda: self._client.cancel_order(order.exchange_order_id, order.symbol))

    def trades(self, order: Order, known: Seen) -> list[Trade]:
        """The order's trades, oldest first, which add up to what is `known` of it."""
        made = self._ask(lambda: self._ways.trades(self._client, order, known.raw))
        with reading("trades", made):
            found = [self._trade(order, known, one) for one in sorted(made, key=moment)]
            require_agreement(known, found)
            return found

    def held(self, currency: str) -> Decimal:
        """What the account has of a currency, free or in orders."""
        parameters = self._ways.balance_parameters
        told = self._ask(lambda: self._client.fetch_balance(parameters))
        with reading("balances", told):
            return number(told["total"].get(currency) or 0)

    def open_client_order_ids(self) -> set[str]:
        """The own ids of all open orders of the symbol, whoever placed them."""
        found = self._ask(lambda: self._client.fetch_open_orders(self._symbol))
        with reading("open orders", found):
            return {identity(one["clientOrderId"]) for one in found if one["clientOrderId"]}

    # --- how it asks, and reads ---

    def _require_signing(self) -> None:
        """Refuses a secret of another form: only the user can change it, the exchange cannot answer to it."""
        path, api, method = self._ways.signs
        try:
            self._client.sign(path, list(api), method, {})
        except (ValueError, TypeError, ccxt.errors.BaseError) as error:
            raise ConfigurationError(
                f"{self._exchange.upper()}_API_SECRET: expected a secret that {self._exchange} has given, "
                f"found one that cannot sign ({type(error).__name__})"
            ) from None

    def _ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        if self._stop.is_set():
            raise NotDoneError("not asked any more: the trader is ending")
        reply = Reply()
        try:
            return self._runner.run(self._unless_stopped(self._calls.raw(reply, call)))
        except asyncio.CancelledError:
            raise UnclearError("not waited for: the trader is ending") from None
        except Exception as error:
            found = meaning(error, reply, self._secrets)
            self._forget_what_may_be_wrong(error, found)
            if found is error:
                raise
            raise found from error

    def _forget_what_may_be_wrong(self, error: Exception, found: Exception) -> None:
        """A refusal may be of what the exchange has told wrongly before: its clock, or its markets."""
        if isinstance(found, NotDoneError) or isinstance(error, ccxt.errors.AuthenticationError):
            self._has_clock = False
        if isinstance(error, ccxt.errors.BadSymbol):
            self._has_markets = False

    async def _unless_stopped(self, answer: Awaitable[Any]) -> Any:
        """The answer; gives up waiting for it as soon as the trader is to end."""
        loop, this = asyncio.get_running_loop(), asyncio.current_task()
        assert this is not None

        def give_up() -> None:
            loop.remove_reader(self._stop)
            this.cancel()

        loop.add_reader(self._stop, give_up)
        try:
            return await answer
        finally:
            loop.remove_reader(self._stop)

    def _read_clock(self) -> None:
        """Has the client sign with the exchange's time, where the exchange looks at it."""
        if self._ways.looks_at_time:
            self._ask(self._client.load_time_difference)
            with reading("the exchange's time", self._client.options.get("timeDifference")):
                if abs(self._client.options["timeDifference"]) > _CLOCKS_DIFFER_MS:
                    raise UnclearError("expected the exchange's time, found one of another century")

    def _trade(self, order: Order, known: Seen, raw: Raw) -> Trade:
        require_of(order, known, raw)
        paid, currency = fee(raw, order)
        quote = order.symbol.partition("/")[2]
        is_third = currency not in order.symbol.split("/")
        timestamp, name = moment(raw)
        return Trade(
            exchange_trade_id=name,
            symbol=order.symbol,
            side=order.side,
            amount=number(raw["amount"]),
            price=number(raw["price"]),
            fee=paid,
            timestamp=timestamp,
            paid_in=None if currency == quote else currency,
            fee_value=self._value(paid, currency, quote) if is_third else None,
        )

    def _value(self, amount: Decimal, currency: str, quote: str) -> Decimal:
        """What an amount of a third currency is worth in quote currency, at the last price."""
        symbol = f"{currency}/{quote}"
        if symbol not in self._client.markets:
            self._has_markets = False  # it may have been told wrongly
            raise UnclearError(
                f"expected a market {symbol} to value a fee of {amount:f} {currency}"
            )
        ticker = self._ask(lambda: self._client.fetch_ticker(symbol))
        with exactly():
            return plain(amount * number(ticker["last"]))
