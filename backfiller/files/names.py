"""Which partition a file holds, as far as its name tells.

binance_BTC-USDT_1h.csv                  as `export` names it
binance/BTC-USDT/1h/2024-01.parquet      as the archive lies
BTCUSDT-1h-2024-01.zip                   Binance's public archive, by month or by day
XBTUSD_60.csv                            Kraken's OHLCVT files: pair and minutes
binance/BTC_USDT-1h.feather              freqtrade's, in a folder of the exchange's name
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from common.exchange import is_known
from common.partition import Partition, check_exchange, check_symbol
from common.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LENGTH = r"(?P<timeframe>\d+[mhdwM])"
_OURS = re.compile(
    rf"(?P<exchange>[A-Za-z0-9]+)_(?P<base>[A-Z0-9]+)-(?P<quote>[A-Z0-9]+)_{_LENGTH}"
)
_ARCHIVE = re.compile(
    rf"(?:.*/)?(?P<exchange>[a-z0-9]+)/(?P<base>[A-Z0-9]+)-(?P<quote>[A-Z0-9]+)/{_LENGTH}/\d{{4}}-\d\d"
)
_BINANCE = re.compile(rf"(?P<pair>[A-Z0-9]+)-{_LENGTH}-\d{{4}}-\d\d(-\d\d)?")
_KRAKEN = re.compile(r"(?P<pair>[A-Z0-9]+)_(?P<minutes>\d+)")
_FREQTRADE = re.compile(rf"(?P<base>[A-Z0-9]+)_(?P<quote>[A-Z0-9]+)-{_LENGTH}")

_BINANCE_QUOTES = (
    "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "USD1", "DAI", "BTC", "ETH", "BNB", "XRP", "TRX", "DOGE",
    "EUR", "GBP", "AUD", "TRY", "BRL", "JPY", "RUB", "UAH", "ZAR", "PLN", "RON", "ARS", "MXN", "CZK", "IDR", "NGN",
)  # fmt: skip
_KRAKEN_QUOTES = (
    "USDT", "USDC", "USD", "EUR", "GBP", "CAD", "AUD", "JPY", "CHF", "DAI", "XBT", "ETH", "DOT", "PYUSD", "EURT",
)  # fmt: skip
_KRAKEN_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
_MINUTES = {timeframe.milliseconds // 60_000: timeframe for timeframe in Timeframe}


@dataclass(frozen=True, slots=True)
class Guess:
    """What is known of a partition; None for what is not."""

    exchange: str | None = None
    symbol: str | None = None
    timeframe: str | None = None

    def over(self, other: Guess) -> Guess:
        """This one, and where it knows nothing, the other."""
        return Guess(*(getattr(self, f.name) or getattr(other, f.name) for f in fields(self)))


def partition_of(path: Path, told: Guess) -> Partition:
    """The partition of a file's candles: what was told, and the rest from its name.

    Raises:
        ConfigurationError: something cannot be known, or is not possible; names the option to give.
    """
    guess = told.over(_from_name(path))
    missing = [f"--{f.name}" for f in fields(guess) if getattr(guess, f.name) is None]
    if missing:
        raise ConfigurationError(
            f"{path}: expected {' and '.join(missing)} for a file whose name does not tell, found none"
        )
    assert guess.exchange is not None
    assert guess.symbol is not None
    assert guess.timeframe is not None
    try:
        return Partition(
            check_exchange(guess.exchange, key="--exchange"),
            check_symbol(guess.symbol, key="--symbol"),
            Timeframe.parse(guess.timeframe, key="--timeframe"),
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _from_name(path: Path) -> Guess:
    stem = re.sub(
        r"\.(csv|parquet|zip|json|feather|arrow)(\.gz)?$", "", path.name, flags=re.IGNORECASE
    )
    whole = f"{path.absolute().parent.as_posix()}/{stem}"
    for pattern, name, guess in _RULES:
        if found := pattern.fullmatch(whole if name == "path" else stem):
            return guess(found.groupdict(), path)
    return Guess()


def _ours(found: dict[str, str], _path: Path) -> Guess:
    return Guess(found["exchange"].lower(), f"{found['base']}/{found['quote']}", found["timeframe"])


def _binance(found: dict[str, str], _path: Path) -> Guess:
    return Guess("binance", _split(found["pair"], _BINANCE_QUOTES), found["timeframe"])


def _kraken(found: dict[str, str], path: Path) -> Guess:
    minutes = int(found["minutes"])
    if minutes not in _MINUTES:
        raise ConfigurationError(
            f"{path}: expected minutes that the suite stores ({', '.join(map(str, _MINUTES))}), found {minutes}"
        )
    symbol = _split(found["pair"], _KRAKEN_QUOTES)
    if symbol is not None:
        symbol = "/".join(_KRAKEN_NAMES.get(part, part) for part in symbol.split("/"))
    return Guess("kraken", symbol, _MINUTES[minutes].value)


def _freqtrade(found: dict[str, str], path: Path) -> Guess:
    folder = path.absolute().parent.name
    exchange = folder if is_known(folder) else None
    return Guess(exchange, f"{found['base']}/{found['quote']}", found["timeframe"])


def _split(pair: str, quotes: tuple[str, ...]) -> str | None:
    """The symbol of a pair that is written without a stroke; None if no known quote ends it."""
    ends = [quote for quote in quotes if pair.endswith(quote) and pair != quote]
    quote = max(ends, key=len, default=None)
    return None if quote is None else f"{pair.removesuffix(quote)}/{quote}"


_RULES: tuple[tuple[re.Pattern[str], str, Callable[[dict[str, str], Path], Guess]], ...] = (
    (_ARCHIVE, "path", _ours),
    (_OURS, "stem", _ours),
    (_BINANCE, "stem", _binance),
    (_KRAKEN, "stem", _kraken),
    (_FREQTRADE, "stem", _freqtrade),
)
