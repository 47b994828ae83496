"""Where ccxt is loaded: a client for one exchange, pointed at its real API or at another URL.

`<EXCHANGE>_API_URL` (for example `BINANCE_API_URL`) replaces an exchange's base URL, which is how
the practice exchange is reached. Importing this module costs about 80 MB of memory, so only what
speaks to an exchange does it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import ccxt.async_support as ccxt

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_TIMEOUT_S = 20.0


def connect(
    exchange: str,
    *,
    credentials: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> ccxt.Exchange:
    """An asynchronous ccxt client for one exchange; the caller awaits its `close()`.

    Args:
        exchange: the ccxt id.
        credentials: ccxt's own keys (`apiKey`, `secret`, ...); none are needed for market data.
        environment: where `<EXCHANGE>_API_URL` is looked up.

    Raises:
        ConfigurationError: ccxt knows no such exchange, or the URL is not one.
    """
    if exchange not in ccxt.exchanges:
        raise ConfigurationError(
            f"exchange: expected an exchange that ccxt knows, found {exchange!r}"
        )
    options: dict[str, Any] = {
        "enableRateLimit": True,
        "timeout": int(REQUEST_TIMEOUT_S * 1000),
        **(credentials or {}),
        **_OPTIONS.get(exchange, {}),
    }
    client: ccxt.Exchange = getattr(ccxt, exchange)(options)
    if url := api_url(exchange, environment):
        _point_at(client, exchange, url)
    return client


def api_url(exchange: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The base URL that the environment gives for that exchange, without a slash at its end.

    Raises:
        ConfigurationError: it is not an http or https URL.
    """
    key = f"{exchange.upper()}_API_URL"
    url = environment.get(key, "").rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"{key}: expected a URL with http:// or https://, found {url!r}")
    return url or None


# Spot markets only, and none of the calls that need keys just to list them.
_OPTIONS: dict[str, dict[str, Any]] = {
    "binance": {
        "options": {
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
        }
    },
}


def _point_at(client: ccxt.Exchange, exchange: str, url: str) -> None:
    """Replaces the base URL, in the place where each exchange's class of ccxt keeps it."""
    urls = client.urls["api"]
    if exchange == "binance":
        urls |= {"public": f"{url}/api/v3", "private": f"{url}/api/v3", "sapi": f"{url}/sapi/v1"}
    elif exchange == "coinbase":
        urls["rest"] = url
    elif exchange == "kraken":
        urls |= {"public": url, "private": url}
    else:
        raise ConfigurationError(
            f"{exchange.upper()}_API_URL: expected none, since only the base URLs of binance, coinbase "
            f"and kraken can be replaced, found {url!r}"
        )
