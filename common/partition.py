"""A partition: the (exchange, symbol, timeframe) that names one row of candles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from common.timeframe import Timeframe

_EXCHANGE = re.compile(r"[a-z][a-z0-9]*")
_SYMBOL = re.compile(r"[A-Z0-9]+/[A-Z0-9]+")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """Which market, at which candle length: the key that traders and backfiller share."""

    exchange: str
    symbol: str
    timeframe: Timeframe

    def __post_init__(self) -> None:
        check_exchange(self.exchange)
        check_symbol(self.symbol)

    def __str__(self) -> str:
        return f"{self.exchange} {self.symbol} {self.timeframe}"


def check_exchange(exchange: str, *, key: str = "exchange") -> str:
    """That exchange id, if it has the form of one.

    Raises:
        ConfigurationError: it has not; the message names `key`.
    """
    if not _EXCHANGE.fullmatch(exchange):
        raise ConfigurationError(
            f"{key}: expected a ccxt exchange id in lower case such as binance, found {exchange!r}"
        )
    return exchange


def check_symbol(symbol: str, *, key: str = "symbol") -> str:
    """That symbol, if it has the form of a spot market's.

    Raises:
        ConfigurationError: it has not; the message names `key`.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigurationError(f"{key}: expected BASE/QUOTE such as BTC/USDT, found {symbol!r}")
    return symbol
