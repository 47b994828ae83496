"""Where ccxt is loaded: a client for one exchange, pointed at its real API or at another URL.

`<EXCHANGE>_API_URL` (for example `BINANCE_API_URL`) replaces an exchange's base URL, which is how
the practice exchange is reached. `import ccxt` would load the classes of a hundred exchanges, sync
and async, and cost 45 MB more than the one that is asked for; so only that one is loaded. It still
costs 70 MB, so only what speaks to an exchange imports this module.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from common.clock import steady_now
from common.errors import ConfigurationError
from common.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REQUEST_TIMEOUT_S = 20.0


def connect(
    exchange: str,
    *,
    credentials: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = os.environ,
    timeout_s: float = REQUEST_TIMEOUT_S,
    **overrides: Any,
) -> Any:
    """An asynchronous ccxt client for one exchange; the caller awaits its `close()`.

    Args:
        exchange: the ccxt id.
        credentials: ccxt's own keys (`apiKey`, `secret`, ...); none are needed for market data.
        environment: where `<EXCHANGE>_API_URL` is looked up.
        timeout_s: how long one HTTP request may take.
        **overrides: options of ccxt's that are to differ from those below.

    Raises:
        ConfigurationError: ccxt knows no such exchange, or the URL is not one.
    """
    if not is_known(exchange):
        raise ConfigurationError(
            f"exchange: expected an exchange that ccxt knows, found {exchange!r}"
        )
    options: dict[str, Any] = {
        "enableRateLimit": True,
        "timeout": int(timeout_s * 1000),
        **(credentials or {}),
        **_OPTIONS.get(exchange, {}),
        **overrides,
    }
    client = getattr(_load(f"ccxt.async_support.{exchange}"), exchange)(options)
    _bear_a_clock_that_is_set(client, exchange)
    if url := api_url(exchange, environment):
        _point_at(client, exchange, url)
    return client


def is_known(exchange: str) -> bool:
    """Whether ccxt has an exchange of that id."""
    return exchange.isalnum() and (_FOLDER / "async_support" / f"{exchange}.py").is_file()


def api_url(exchange: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The base URL that the environment gives for that exchange, without a slash at its end.

    Raises:
        ConfigurationError: it is not an http or https URL.
    """
    key = f"{exchange.upper()}_API_URL"
    url = environment.get(key, "").rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"{key}: expected a URL with http:// or https://, found {shown(url)}"
        )
    return url or None


# Spot markets only, and none of the calls that need keys, or tell of currencies, just to list them.
#
# A rolling window instead of ccxt's leaky bucket: the same calls a second on average, but those of one
# candle close go out together. With the bucket, tickers of some symbols at binance (16 units of 50 ms for
# ccxt) would hold back a close in the same moment by 800 ms.
_OPTIONS: dict[str, dict[str, Any]] = {
    "binance": {
        "rateLimiterAlgorithm": "rollingWindow",
        "rollingWindowSize": 3000.0,
        "options": {
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
        },
    },
    "kraken": {
        "rateLimiterAlgorithm": "rollingWindow",
        "rollingWindowSize": 20_000.0,  # the closes of some 13 partitions, at 1.2 s each
    },
    "coinbase": {
        "rateLimiterAlgorithm": "rollingWindow",
        "rollingWindowSize": 1000.0,
        "has": {"fetchCurrencies": False},
    },
}

# Binance lists 3,500 markets, 2,000 of them closed for good, each with a hundred sets of permissions: told
# without both, the answer takes 37 MB of memory instead of 127.
MARKET_PARAMETERS = {"binance": {"showPermissionSets": "false", "symbolStatus": "TRADING"}}


def _bear_a_clock_that_is_set(client: Any, exchange: str) -> None:
    """Keeps what must not go back from this machine's clock, which a person or NTP may set back.

    ccxt's rate limit would hold back every call for as long as that was, and Kraken refuses for as long every
    nonce, since it is lower than the last one.
    """
    throttler = sys.modules[type(client.throttler).__module__]
    assert callable(vars(throttler)["time"])
    vars(throttler)["time"] = lambda: steady_now() / 1000
    if exchange == "kraken":
        client.nonce = _growing(client.nonce)


def _growing(nonce: Callable[[], int]) -> Callable[[], int]:
    last = 0

    def following() -> int:
        nonlocal last
        last = max(nonce(), last + 1)
        return last

    return following


def _point_at(client: Any, exchange: str, url: str) -> None:
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


# --- loading one module of ccxt without all of it ----------------------------------------------------------


def _folder() -> Path:
    spec = importlib.util.find_spec("ccxt")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("ccxt is not installed: it is in the `suite` dependencies")
    return Path(spec.submodule_search_locations[0])


def _load(name: str) -> ModuleType:
    """A module of ccxt, loaded while the two packages around it look empty.

    ccxt's own modules import from the packages no more than the error classes and the base class.
    """
    if name in sys.modules or "ccxt" in sys.modules:
        return importlib.import_module(name)
    with _empty_packages() as packages:
        errors = importlib.import_module("ccxt.base.errors")
        classes = {key: value for key, value in vars(errors).items() if isinstance(value, type)}
        for package in packages:
            vars(package).update(classes)
        vars(packages[0])["Exchange"] = importlib.import_module("ccxt.base.exchange").Exchange
        return importlib.import_module(name)


@contextmanager
def _empty_packages() -> Iterator[list[ModuleType]]:
    """`ccxt` and `ccxt.async_support` without their contents; gone afterwards, for a full import."""
    packages = []
    for name, folder in (("ccxt", _FOLDER), ("ccxt.async_support", _FOLDER / "async_support")):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        package.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        sys.modules[name] = package
        packages.append(package)
    try:
        yield packages
    finally:
        for package in packages:
            sys.modules.pop(package.__name__, None)


_FOLDER = _folder()
errors: Any = _load("ccxt.base.errors")  # ccxt's error classes
