"""The markets of each practice exchange: their names, steps, minimums and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

MOST_AMOUNT = 9_000_000  # of any order
_LISTED_MS = 1_504_483_200_000  # Monday 2017-09-04: no candle is older
_LISTED = {
    "binance": (
        "BTC/USDT ETH/USDT SOL/USDT BNB/USDT XRP/USDT ADA/USDT DOGE/USDT LTC/USDT "
        "BTC/USDC ETH/USDC SOL/USDC"
    ),
    "coinbase": "BTC/USD ETH/USD SOL/USD XRP/USD LTC/USD BTC/USDT ETH/USDT BTC/USDC ETH/USDC AMP/USD",
    "kraken": (
        "BTC/USD ETH/USD SOL/USD XRP/USD LTC/USD ADA/USD DOGE/USD BTC/USDT ETH/USDT "
        "BTC/USDC ETH/USDC OXT/USD"
    ),
}
_MIN_COST = {"binance": Decimal(5), "coinbase": Decimal(1), "kraken": Decimal("0.5")}


@dataclass(frozen=True, slots=True)
class Asset:
    """What a made-up path of that asset starts from, in US dollars, and how finely it is traded."""

    price: float
    price_decimals: int
    amount_decimals: int
    liquidity: float = 1.0  # the share of minutes in which somebody trades


_ASSETS = {
    "BTC": Asset(60_000.0, 2, 5),
    "ETH": Asset(3_000.0, 2, 4),
    "SOL": Asset(150.0, 2, 3),
    "BNB": Asset(550.0, 2, 3),
    "XRP": Asset(0.6, 4, 1),
    "ADA": Asset(0.45, 4, 1),
    "DOGE": Asset(0.12, 5, 0),
    "LTC": Asset(80.0, 2, 3),
    "AMP": Asset(0.005, 7, 0, liquidity=0.4),
    "OXT": Asset(0.06, 5, 1, liquidity=0.4),
}


_DOLLAR = Asset(1.0, 4, 2)


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol at one exchange. Prices are in quote, amounts in base currency."""

    symbol: str
    price_decimals: int
    amount_decimals: int
    base_price: float
    min_cost: Decimal
    liquidity: float = 1.0
    listed_ms: int = _LISTED_MS

    @property
    def base(self) -> str:
        """The currency that is traded."""
        return self.symbol.split("/")[0]

    @property
    def quote(self) -> str:
        """The currency that it is paid with."""
        return self.symbol.split("/")[1]

    @property
    def tick(self) -> Decimal:
        """The smallest step of a price."""
        return Decimal(1).scaleb(-self.price_decimals)

    @property
    def step(self) -> Decimal:
        """The smallest step of an amount, and the smallest amount."""
        return Decimal(1).scaleb(-self.amount_decimals)

    @property
    def depth(self) -> Decimal:
        """The amount on offer at each price level of the order book: 50,000 of quote currency."""
        return max(Decimal(50_000 / self.base_price).quantize(self.step), self.step)

    @property
    def minute_amount(self) -> float:
        """The amount that is traded in an ordinary minute: what 300,000 of quote currency buy."""
        return 300_000.0 / self.base_price


def markets_of(exchange: str) -> list[Market]:
    """All markets that an exchange lists."""
    return [market_of(exchange, symbol) for symbol in _LISTED[exchange].split()]


def market_of(exchange: str, symbol: str) -> Market:
    """The market of that symbol; of a currency that is not known here, one worth a dollar."""
    base, quote = (_ASSETS.get(currency, _DOLLAR) for currency in symbol.split("/"))
    return Market(
        symbol,
        base.price_decimals,
        base.amount_decimals,
        base.price / quote.price,
        min_cost=_MIN_COST[exchange] if quote is _DOLLAR else Decimal("0.0001"),
        liquidity=base.liquidity,
    )


def replayed(market: Market, price: float, price_decimals: int) -> Market:
    """That market with the prices of a file."""
    return replace(market, base_price=price, price_decimals=price_decimals)


def replayed_symbols(exchange: str, symbol: str) -> list[str]:
    """Which symbols of an exchange take their prices from a file for `symbol`.

    The main markets of Coinbase and Kraken are in dollars, so prices in USDT stand for those in USD too.
    """
    base, quote = symbol.split("/")
    if exchange != "binance" and quote == "USDT":
        return [symbol, f"{base}/USD"]
    return [symbol]
