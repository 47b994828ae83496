"""What Kraken calls assets and pairs: some by names from before there were standards."""

from __future__ import annotations

from dataclasses import dataclass

# By the usual name: Kraken's own, and its short form. Later assets have one name only.
_ASSETS = {
    "BTC": ("XXBT", "XBT"),
    "DOGE": ("XXDG", "XDG"),
    "ETH": ("XETH", "ETH"),
    "EUR": ("ZEUR", "EUR"),
    "LTC": ("XLTC", "LTC"),
    "USD": ("ZUSD", "USD"),
    "XRP": ("XXRP", "XRP"),
}
# Only these are paired under their long names, and only with a currency of a state.
_PAIRED_LONG = {"BTC", "ETH", "LTC", "XRP"}


@dataclass(frozen=True, slots=True)
class Pair:
    """The names of one market, such as XXBTZUSD, XBTUSD and XBT/USD."""

    name: str
    short: str
    streamed: str
    base: str
    quote: str

    @property
    def names(self) -> tuple[str, str, str]:
        """What a request may call it."""
        return self.name, self.short, self.streamed


def asset_names(currency: str) -> tuple[str, str]:
    """Kraken's name for that asset, and its short form."""
    return _ASSETS.get(currency, (currency, currency))


def pair_of(symbol: str) -> Pair:
    """The names of the market of that symbol."""
    base, quote = symbol.split("/")
    (long_base, short_base), (long_quote, short_quote) = asset_names(base), asset_names(quote)
    short = short_base + short_quote
    is_long = base in _PAIRED_LONG and long_quote.startswith("Z")
    name = long_base + long_quote if is_long else short
    return Pair(name, short, f"{short_base}/{short_quote}", long_base, long_quote)
