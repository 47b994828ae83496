"""A live trader in this process: the real engine, the real broker and ccxt against a practice exchange.

Candles are the test's: a candle's volume is what the strategy says at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
from ccxt import InvalidNonce

import schema
from common.candle import Candle, Ticker
from common.clock import MarketClock, wall_now
from common.exchange_status import Exchanges, Market
from common.market_data import MarketData
from common.partition import Partition
from common.registry import Registration, Registry
from common.timeframe import Timeframe
from trader.brokers.live.broker import LiveBroker
from trader.brokers.live.exchange_account import ExchangeAccount
from trader.core.rules import Rules
from trader.engine import Engine
from trader.evaluation import Evaluation
from trader.feed import DatabaseFeed
from trader.ledger import Ledger
from trader.ledger.fleet import Fleet
from trader.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.practice.running import Practice
    from trader.engine import Progress
    from trader.roles import Journal

ID = "live"
BALANCE = Decimal(10_000)
HOLD, BUY, SELL = 0.0, 1.0, 2.0
SAID = {HOLD: "hold", BUY: "buy", SELL: "sell"}
SYMBOLS = {"binance": "BTC/USDT", "coinbase": "BTC/USD", "kraken": "BTC/USD"}
RULES = Rules(stake=Decimal(1000), fee_rate=Decimal("0.001"), max_signal_age_s=7200.0)


class Scripted:
    """Says at each candle what its volume is."""

    warmup = 1

    def evaluate(self, candles: pd.DataFrame) -> pd.DataFrame:
        said = candles["volume"].map(SAID)
        return pd.DataFrame({"signal": said, "reason": "said " + said}, index=candles.index)


@dataclass
class Seconds:
    """This machine's seconds, as the test lets them pass."""

    passed: float = 0.0

    def __call__(self) -> float:
        return self.passed


@dataclass
class Stage:
    """One exchange with one strategy's database and account."""

    practice: Practice
    exchange: str
    url: str
    credentials: dict[str, str]
    rules: Rules = RULES
    wrap_account: Callable[[ExchangeAccount], Any] = lambda account: account
    wrap_journal: Callable[[Ledger], Journal] = lambda ledger: ledger
    order_timeout_s: float = 60.0
    max_wait_s: float = 7200.0
    ccxt: dict[str, Any] = field(default_factory=dict)
    spend: Decimal | None = None
    accounts: list[ExchangeAccount] = field(default_factory=list)
    seconds: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        self.symbol = SYMBOLS[self.exchange]
        self.partition = Partition(self.exchange, self.symbol, Timeframe.M1)
        self.database = schema.open_database(self.url)
        self.data = MarketData(self.database)
        exchanges = Exchanges(self.database)
        exchanges.record_markets(self.exchange, ["1m"], [self._market()])
        now = self.practice.now_ms()
        exchanges.record_clock(self.exchange, MarketClock(now, wall_now()))
        self.next = Timeframe.M1.newest_closed(now)
        if self.spend is not None:
            self.buy_by_hand(self.spend)
        Registry(self.database).register(
            Registration(ID, self.partition, "scripted", None, "live", {}, 1, BALANCE)
        )

    def _market(self) -> Market:
        """The market's rules, as the backfiller would keep them."""
        found = self.ask(lambda client: client.load_markets())[self.symbol]
        limits, precision = found["limits"], found["precision"]

        def money(value: object) -> Decimal | None:
            return None if value is None else Decimal(str(value))

        return Market(
            self.symbol,
            money(precision["amount"]),
            money(precision["price"]),
            money(limits["amount"]["min"]),
            money(limits["cost"]["min"]),
        )

    @property
    def base(self) -> str:
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition("/")[2]

    def ask(self, question: Callable[[Any], Any]) -> Any:
        """What the exchange answers to a client of the test's own.

        Kraken refuses a number that is not above the key's last one: the trader's client may have counted ahead,
        since ccxt numbers requests by the millisecond, and some take less.
        """
        while True:
            try:
                return self.practice.asked(self.exchange, question, **self.credentials)
            except InvalidNonce:
                continue

    def start(self) -> Engine:
        """A trader's engine as it is after a start."""
        feed = DatabaseFeed(self.database, self.partition, ID)
        account = ExchangeAccount(
            self.exchange,
            self.symbol,
            self.credentials,
            self.practice.environment,
            stop=Stop(),
            **{"enableRateLimit": False, **self.ccxt},
        )
        self.accounts.append(account)
        return Engine(
            strategy_id=ID,
            partition=self.partition,
            rules=self.rules,
            evaluation=Evaluation(Scripted(), Timeframe.M1),
            feed=feed,
            broker=LiveBroker(
                self.wrap_account(account),
                Fleet(self.database, ID, self.exchange),
                base=self.base,
                clock=feed.clock,
                order_timeout_s=self.order_timeout_s,
                max_wait_s=self.max_wait_s,
                now=self.seconds,
            ),
            journal=self.wrap_journal(self.ledger),
        )

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.database, ID, BALANCE, self.rules.symbol_cap)

    def say(self, what: float, price: float | None = None) -> None:
        """Closes a candle at which the strategy says that; at the market's price unless told."""
        at = self.price() if price is None else price
        self.data.store_candles(self.partition, [Candle(self.next, at, at, at, at, what)])
        self.next += 60_000

    def price(self) -> float:
        """The market's last price."""
        return float(self.ask(lambda client: client.fetch_ticker(self.symbol))["last"])

    def ask_price(self) -> float:
        """The best price that somebody sells at."""
        return float(self.ask(lambda client: client.fetch_ticker(self.symbol))["ask"])

    def buy_by_hand(self, cost: Decimal) -> None:
        """Somebody else trades with the same account."""
        price = self.ask_price()
        amount = float(cost) / price
        given = price if self.exchange == "coinbase" else None
        self.ask(lambda client: client.create_order(self.symbol, "market", "buy", amount, given))

    def sell_by_hand(self, amount: Decimal) -> None:
        """The same."""
        self.ask(
            lambda client: client.create_order(self.symbol, "market", "sell", float(amount), None)
        )

    def order_by_hand(self, client_order_id: str) -> None:
        """An order with that id of its own, which rests."""
        key = "client_order_id" if self.exchange == "coinbase" else "clientOrderId"
        price = round(self.price() * 0.5)
        self.ask(
            lambda client: client.create_order(
                self.symbol, "limit", "buy", 0.01, price, {key: client_order_id}
            )
        )

    def tick(self, price: float) -> None:
        """A ticker as the backfiller would store it."""
        now = self.practice.now_ms()
        ticker = Ticker(now, price, price, price)
        self.data.store_tickers(self.exchange, {self.symbol: ticker}, keep_since=0)

    def run(self, engine: Engine, *, passes: int = 60) -> Progress:
        """Advances until nothing is on its way and all is decided; half a second passes at each turn."""
        for _ in range(passes):
            progress = engine.advance()
            self.seconds.passed += 0.5
            if progress.state == "running" and not progress.more and not engine.awaits_fill:
                return progress
        raise AssertionError(f"after {passes} passes: {progress}, {self.ledger.books()}")

    def held(self) -> tuple[Decimal, Decimal]:
        """What the exchange says that the account has of base and of quote currency."""
        parameters = {"v3": True} if self.exchange == "coinbase" else {}

        async def total(client: Any) -> Any:
            client.number = str
            return (await client.fetch_balance(parameters))["total"]

        found = self.ask(total)
        return Decimal(found.get(self.base) or 0), Decimal(found.get(self.quote) or 0)

    def close(self) -> None:
        for account in self.accounts:
            account.close()
        self.database.close()

    def with_rules(self, **changes: Any) -> None:
        self.rules = replace(self.rules, **changes)
