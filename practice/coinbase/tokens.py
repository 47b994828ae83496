"""The tokens that a client of Coinbase's cloud keys signs for each request (JWT, RFC 7519).

A real exchange knows only the public half of such a key. Here both sides know the secret, as a client
is given it: an elliptic curve key in PEM signs with ES256, 32 or 64 bytes in base64 with Ed25519.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_LASTS_MS = 120_000
_SEED_BYTES = 32  # of an Ed25519 secret; its public half may follow
_HALF = 32  # bytes of each of the two numbers in an ES256 signature


class BadToken(Exception):
    """A token that nobody known here has signed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: who asks what, and when."""

    key: str
    uri: str  # such as "GET api.coinbase.com/api/v3/brokerage/accounts"
    begins_ms: int


def read_token(token: str, secrets: Mapping[str, str]) -> Claims:
    """What that token says.

    Raises:
        BadToken: it has another form, or is not signed with the secret of the key it names.
    """
    try:
        header, payload, signature = token.split(".")
        algorithm, said = _json(header).get("alg"), _json(payload)
        uri = said["uri"] if "uri" in said else said["uris"][0]
        claims = Claims(str(said["sub"]), str(uri), int(said["nbf"]) * 1000)
        _verify(secrets[claims.key], algorithm, f"{header}.{payload}".encode(), _bytes(signature))
    except (ValueError, KeyError, IndexError, TypeError, InvalidSignature) as error:
        raise BadToken from error
    return claims


def _verify(secret: str, algorithm: object, signed: bytes, signature: bytes) -> None:
    if secret.startswith("-----BEGIN"):
        key = load_pem_private_key(secret.encode(), None)
        if algorithm != "ES256" or not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("expected ES256")
        r, s = signature[:_HALF], signature[_HALF:]
        numbers = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        key.public_key().verify(numbers, signed, ec.ECDSA(SHA256()))
    elif algorithm == "EdDSA":
        seed = base64.b64decode(secret)[:_SEED_BYTES]
        Ed25519PrivateKey.from_private_bytes(seed).public_key().verify(signature, signed)
    else:
        raise ValueError("expected EdDSA")


def _json(part: str) -> dict[str, Any]:
    found = json.loads(_bytes(part))
    if not isinstance(found, dict):
        raise TypeError("expected a JSON object")
    return found


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
