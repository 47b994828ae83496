"""Who sent a request to Kraken's private API: key, signature and nonce, checked in that order."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from practice.kraken.wire import KrakenError, Parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiohttp import web

_PREFIX = "/kraken"  # of all paths here; clients do not sign it


class KrakenGate:
    """Lets requests in that one of the known keys has signed, each with a higher nonce than before."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets
        self._nonces: dict[str, int] = {}

    async def admit(self, request: web.Request, _: int) -> tuple[str, Parameters]:
        """The account that sent the request, and its parameters. What time it is does not matter.

        Raises:
            KrakenError: the key is not known, or the signature or the nonce is not right.
        """
        key = request.headers.get("API-Key", "")
        if key not in self._secrets:
            raise KrakenError("EAPI:Invalid key")
        body = await request.read()
        parameters = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        nonce = parameters.pop("nonce", "")
        path = request.path.removeprefix(_PREFIX)
        signed = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
        signature = request.headers.get("API-Sign", "").encode()
        if not any(
            hmac.compare_digest(signature, _signature(secret, signed))
            for secret in _binary_forms(self._secrets[key])
        ):
            raise KrakenError("EAPI:Invalid signature")
        self._check_nonce(key, nonce)
        return key, parameters

    def _check_nonce(self, key: str, nonce: str) -> None:
        if not (nonce.isascii() and nonce.isdecimal()) or int(nonce) <= self._nonces.get(key, 0):
            raise KrakenError("EAPI:Invalid nonce")
        self._nonces[key] = int(nonce)


def _signature(secret: bytes, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha512).digest())


def _binary_forms(secret: str) -> Iterator[bytes]:
    """What a client signs with, which takes its secret for base64.

    Either it was given the secret in base64, or the secret is base64 and was given as it is.
    """
    yield secret.encode()
    try:
        yield base64.b64decode(secret, validate=True)
    except binascii.Error:
        return
