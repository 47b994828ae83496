"""Who sent a request to Binance's private API: key, clock and signature, checked in that order."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from practice.binance.wire import BinanceError, required, whole_number
from practice.clock import is_shown_by_a_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from common.clock import MarketClock

_DEFAULT_WINDOW_MS, _MOST_WINDOW_MS = 5_000, 60_000
_AHEAD_MS = 1_000


class BinanceGate:
    """Lets requests in that one of the known keys has signed."""

    def __init__(self, secrets: Mapping[str, str], clock: MarketClock) -> None:
        self._secrets = secrets
        self._clock = clock

    async def admit(self, request: web.Request, wall_ms: int) -> tuple[str, dict[str, str]]:
        """The account that sent the request, and its parameters.

        Raises:
            BinanceError: the key is not known, or the signature or the time is not right.
        """
        key = request.headers.get("X-MBX-APIKEY", "")
        if not key:
            raise BinanceError(-2014, "API-key format invalid.", status=401)
        secret = self._secrets.get(key)
        if secret is None:
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
        sent = request.rel_url.raw_query_string + (await request.read()).decode(errors="replace")
        signed, _, signature = sent.rpartition("&signature=")
        parameters = dict(parse_qsl(signed))
        self._check_time(parameters, wall_ms)
        right = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature.encode(), right.encode()):
            raise BinanceError(-1022, "Signature for this request is not valid.")
        return key, parameters

    def _check_time(self, parameters: Mapping[str, str], wall_ms: int) -> None:
        required(parameters, "timestamp")
        sent_ms = whole_number(parameters, "timestamp", 0)
        window_ms = whole_number(parameters, "recvWindow", _DEFAULT_WINDOW_MS)
        if window_ms > _MOST_WINDOW_MS:
            raise BinanceError(-1131, "recvWindow must be less than 60000")
        if not is_shown_by_a_client(
            self._clock, sent_ms, wall_ms, behind_ms=window_ms, ahead_ms=_AHEAD_MS
        ):
            ahead = sent_ms > self._clock.at(wall_ms)
            raise BinanceError(
                -1021,
                "Timestamp for this request was 1000ms ahead of the server's time."
                if ahead
                else "Timestamp for this request is outside of the recvWindow.",
            )
