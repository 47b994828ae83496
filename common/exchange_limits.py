"""How much of an answer of an exchange is read: a body without end must not fill the memory, nor a nested one the stack."""

from __future__ import annotations

from typing import Any

import aiohttp

from common.exchange_failures import NoAnswerError
from common.shown import shown

# The longest real one, the list of Binance's markets, is about 6 MB as it is asked for.
MOST_BYTES = 32 << 20
MOST_PLACES = 64  # decimal places of an amount or a price


class BoundedResponse(aiohttp.ClientResponse):
    """An HTTP response whose body, unpacked, has at most MOST_BYTES."""

    async def read(self) -> bytes:
        """The body.

        Raises:
            NoAnswerError: it is longer; the rest of it is not read.
        """
        if self._body is None:
            await self._read_bounded()
        return await super().read()

    async def _read_bounded(self) -> None:
        parts, left = [], MOST_BYTES
        try:
            async for part in self.content.iter_any():
                left -= len(part)
                _require_some(left)
                parts.append(part)
        except BaseException:
            self.close()
            raise
        self._body = b"".join(parts)


def _require_some(left: int) -> None:
    if left < 0:
        raise NoAnswerError(
            f"expected an answer of at most {MOST_BYTES:,} bytes, found a longer one"
        )


def bound(client: Any) -> None:
    """Has a client of ccxt read no more than that of any answer, and take JSON that is nested too deeply for none."""
    open_session, parse_json = client.open, client.parse_json
    parse_precision = client.parse_precision

    def opened(lazy: bool = False) -> None:
        before = client.session
        open_session(lazy)
        if client.session is None or client.session is before:
            return
        client.session.detach()  # its connector goes to the one that takes its place
        client.session = aiohttp.ClientSession(
            connector=client.tcp_connector,
            trust_env=client.aiohttp_trust_env,
            response_class=BoundedResponse,
        )

    def parsed(text: str) -> Any:
        try:
            return parse_json(text)
        except RecursionError:
            return None

    def places(precision: str | None) -> Any:
        """Ccxt counts these digits one by one: told 10^30 of them, it would never end."""
        if precision is not None and not -MOST_PLACES <= int(precision) <= MOST_PLACES:
            raise NoAnswerError(f"expected a number of decimal places, found {shown(precision)}")
        return parse_precision(precision)

    client.open, client.parse_json, client.parse_precision = opened, parsed, places
