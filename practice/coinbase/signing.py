"""Who sent a request to Coinbase's private API: a signature in its headers, or a signed token."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from practice.clock import is_shown_by_a_client
from practice.coinbase.tokens import TOKEN_LASTS_MS, BadToken, read_token
from practice.coinbase.wire import CoinbaseError, Parameters, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from common.clock import MarketClock

_PREFIX = "/coinbase"  # of all paths here; clients do not sign it
_TOLERANCE_MS = 30_000


class CoinbaseGate:
    """Lets requests in that one of the known keys has signed."""

    def __init__(self, secrets: Mapping[str, str], clock: MarketClock) -> None:
        self._secrets = secrets
        self._clock = clock

    async def admit(self, request: web.Request, wall_ms: int) -> tuple[str, Parameters]:
        """The account that sent the request, and its parameters.

        Raises:
            CoinbaseError: its body is no JSON object.
            Unauthorized: the key is not known, or the signature or the time is not right.
        """
        body = await request.read()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            account = self._owner_of_token(token, request, wall_ms)
        else:
            account = self._owner_of_signature(request, body, wall_ms)
        return account, _parameters(request, body)

    def _owner_of_signature(self, request: web.Request, body: bytes, wall_ms: int) -> str:
        key = request.headers.get("CB-ACCESS-KEY", "")
        sent_at = request.headers.get("CB-ACCESS-TIMESTAMP", "")
        if key not in self._secrets or not (sent_at.isascii() and sent_at.isdecimal()):
            raise Unauthorized
        path = request.path.removeprefix(_PREFIX)
        if path.startswith("/v2/") and request.query_string:
            path += (
                f"?{request.rel_url.raw_query_string}"  # the older API signs it, the newer does not
            )
        signed = f"{sent_at}{request.method}{path}".encode() + body
        right = hmac.new(self._secrets[key].encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(
            request.headers.get("CB-ACCESS-SIGN", "").encode(), right.encode()
        ):
            raise Unauthorized
        self._check_time(int(sent_at) * 1000, wall_ms, behind_ms=_TOLERANCE_MS)
        return key

    def _owner_of_token(self, token: str, request: web.Request, wall_ms: int) -> str:
        try:
            claims = read_token(token, self._secrets)
        except BadToken:
            raise Unauthorized from None
        method, _, address = claims.uri.partition(" ")
        if method != request.method or not address.endswith(request.path):
            raise Unauthorized
        self._check_time(claims.begins_ms, wall_ms, behind_ms=TOKEN_LASTS_MS)
        return claims.key

    def _check_time(self, sent_ms: int, wall_ms: int, *, behind_ms: int) -> None:
        if not is_shown_by_a_client(
            self._clock, sent_ms, wall_ms, behind_ms=behind_ms, ahead_ms=_TOLERANCE_MS
        ):
            raise Unauthorized


def _parameters(request: web.Request, body: bytes) -> Parameters:
    """What the path, the query and the body name."""
    sent: dict[str, Any] = {
        name: ",".join(request.query.getall(name)) for name in set(request.query)
    }
    try:
        named = json.loads(body or b"{}")
    except ValueError:
        named = None
    if not isinstance(named, dict):
        raise CoinbaseError("INVALID_ARGUMENT", "expected a JSON object in the body")
    return {**sent, **named, **request.match_info}
