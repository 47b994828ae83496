"""A trader's account at an exchange: each method is a question or an order, and waits for its answer.

ccxt's asynchronous client is used, since the other one has no limit for an answer that drips; it runs in a
loop of its own, one call at a time. Numbers are taken as text and made decimals, so that no digit is lost.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from common import exchange as ccxt
from common.errors import ConfigurationError
from common.exchange_calls import Calls
from common.exchange_failures import Reply
from trader.brokers.live.errors import NotDoneError, UnclearError, meaning
from trader.brokers.live.ways import WAYS
from trader.core.money import ZERO, exactly, plain
from trader.core.order import OrderStatus
from trader.core.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from trader.brokers.live.ways import Raw
    from trader.core.order import Order
    from trader.stop import Stop

T = TypeVar("T")
EXCHANGES = tuple(WAYS)
TIMEOUT_S = 8.0  # of one request: a health check notices a daemon that hangs for 30 s
_STATUS = {"open": OrderStatus.OPEN, "closed": OrderStatus.FILLED}  # all others are an early end


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as the exchange tells of it; `filled` is in base currency."""

    exchange_order_id: str
    status: OrderStatus
    filled: Decimal
    raw: Raw


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
        return sent.get("id") or None

    def find(self, order: Order) -> Seen | None:
        """The order by its own id; None if the exchange has none."""
        found = self._ask(lambda: self._ways.find(self._client, order))
        return None if found is None else _seen(found)

    def look(self, order: Order) -> Seen:
        """The order by the exchange's id."""
        return _seen(
            self._ask(lambda: self._client.fetch_order(order.exchange_order_id, order.symbol))
        )

    def cancel(self, order: Order) -> None:
        """Has the exchange take the order back."""
        self._ask(lambda: self._client.cancel_order(order.exchange_order_id, order.symbol))

    def trades(self, order: Order, seen: Seen) -> list[Trade]:
        """The order's trades, oldest first."""
        made = self._ask(lambda: self._ways.trades(self._client, order, seen.raw))
        try:
            return [self._trade(order, one) for one in sorted(made, key=_moment)]
        except (TypeError, ValueError, KeyError) as error:
            raise UnclearError(f"expected trades, found {made!r:.100}: {error}") from error

    def held(self, currency: str) -> Decimal:
        """What the account has of a currency, free or in orders."""
        parameters = self._ways.balance_parameters
        told = self._ask(lambda: self._client.fetch_balance(parameters))
        return _number(told["total"].get(currency) or 0)

    def open_client_order_ids(self) -> set[str]:
        """The own ids of all open orders of the symbol, whoever placed them."""
        found = self._ask(lambda: self._client.fetch_open_orders(self._symbol))
        return {one["clientOrderId"] for one in found if one["clientOrderId"]}

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
            if isinstance(found, NotDoneError):
                self._has_clock = False
            if found is error:
                raise
            raise found from error

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

    def _trade(self, order: Order, raw: Raw) -> Trade:
        fee, currency = _fee(raw)
        quote = order.symbol.partition("/")[2]
        is_third = currency not in order.symbol.split("/")
        return Trade(
            exchange_trade_id=str(raw["id"]),
            symbol=order.symbol,
            side=order.side,
            amount=_number(raw["amount"]),
            price=_number(raw["price"]),
            fee=fee,
            timestamp=int(raw["timestamp"]),
            paid_in=None if currency == quote else currency,
            fee_value=self._value(fee, currency, quote) if is_third else None,
        )

    def _value(self, amount: Decimal, currency: str, quote: str) -> Decimal:
        """What an amount of a third currency is worth in quote currency, at the last price."""
        symbol = f"{currency}/{quote}"
        if symbol not in self._client.markets:
            raise UnclearError(
                f"expected a market {symbol} to value a fee of {amount:f} {currency}"
            )
        ticker = self._ask(lambda: self._client.fetch_ticker(symbol))
        with exactly():
            return plain(amount * _number(ticker["last"]))


def _seen(raw: Raw) -> Seen:
    if not raw.get("id") or raw.get("status") is None:
        raise UnclearError(f"expected an order with its id and status, found {raw!r:.100}")
    status = _STATUS.get(raw["status"], OrderStatus.CANCELED)
    return Seen(str(raw["id"]), status, _number(raw.get("filled") or 0), raw)


def _fee(raw: Raw) -> tuple[Decimal, str]:
    """What a trade's fee is, and of which currency; of none where there is no fee."""
    fees = [fee for fee in raw.get("fees") or [raw.get("fee")] if fee and fee.get("cost")]
    quote = raw["symbol"].partition("/")[2]
    currencies = {fee["currency"] for fee in fees}
    if len(currencies) > 1:
        raise UnclearError(f"expected one currency of a trade's fee, found {sorted(currencies)}")
    with exactly():
        total = plain(sum((_number(fee["cost"]) for fee in fees), ZERO))
    return total, currencies.pop() if currencies else quote


def _moment(raw: Raw) -> tuple[int, str]:
    return int(raw["timestamp"]), str(raw["id"])


def _number(told: Any) -> Decimal:
    try:
        number = Decimal(str(told))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise UnclearError(f"expected a number, found {told!r}")
    return plain(number)
