from __future__ import annotations

import base64
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import ccxt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.practice.running import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.practice.running import Practice


@pytest.mark.parametrize("wrong", [{"apiKey": "stranger"}, {"secret": "wrong"}])
def test_a_request_without_the_right_key_and_signature_is_refused(
    practice: Practice, wrong: dict[str, str]
) -> None:
    async def look(client: Any) -> Any:
        client.options["fetchMarkets"] = "fetchMarketsV2"  # without asking for the fee rate
        return await client.fetch_balance({"v3": True})

    with pytest.raises(ccxt.AuthenticationError):
        practice.freshly_asked("coinbase", look, **CREDENTIALS | wrong)


def test_a_request_without_any_key_is_refused(practice: Practice) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{practice.url}/coinbase/api/v3/brokerage/accounts")
    assert (raised.value.code, raised.value.read()) == (401, b"Unauthorized\n")


@pytest.mark.parametrize("skew_ms", [-60_000, 60_000])
def test_a_client_whose_clock_is_a_minute_off_is_refused(practice: Practice, skew_ms: int) -> None:
    async def skewed(client: Any) -> Any:
        client.options["timeDifference"] = -skew_ms
        return await client.fetch_balance({"v3": True})

    with pytest.raises(ccxt.AuthenticationError):
        practice.asked("coinbase", skewed, **CREDENTIALS)


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    form = PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


@pytest.mark.parametrize(
    "secrets",
    [(pem(), pem()), (base64.b64encode(bytes(64)).decode(), base64.b64encode(b"1" * 64).decode())],
    ids=["ES256", "Ed25519"],
)
def test_a_cloud_key_signs_a_token_for_each_request(
    started: Callable[..., Practice], secrets: tuple[str, str]
) -> None:
    right, wrong = secrets
    practice = started("--key", f"organizations/1/apiKeys/2:{right}")

    async def trade(client: Any) -> Any:
        placed = await client.create_order("BTC/USD", "limit", "buy", 0.01, 20_000)
        return await client.fetch_order(placed["id"], "BTC/USD")

    credentials = {"apiKey": "organizations/1/apiKeys/2", "secret": right}
    assert practice.asked("coinbase", trade, **credentials)["status"] == "open"
    with pytest.raises(ccxt.AuthenticationError):
        practice.asked("coinbase", trade, **{**credentials, "secret": wrong})
    with pytest.raises(ccxt.AuthenticationError):
        practice.asked("coinbase", trade, **{**credentials, "apiKey": "organizations/stranger"})


def test_a_token_is_good_for_its_own_request_only(started: Callable[..., Practice]) -> None:
    secret = base64.b64encode(bytes(64)).decode()
    practice = started("--key", f"cloud:{secret}")
    client = practice.synchronous_client("coinbase", apiKey="cloud", secret=secret)
    url = f"{practice.url}/coinbase/api/v3/brokerage/accounts"
    for seconds, method, asked, answer in (
        (client.seconds(), "GET", url, 200),
        (client.seconds(), "POST", url, 401),
        (client.seconds(), "GET", f"{practice.url}/coinbase/v2/accounts", 401),
        (client.seconds() - 121, "GET", url, 401),
        (client.seconds() + 60, "GET", url, 401),
    ):
        token = client.create_auth_token(seconds, method, url, True)
        request = urllib.request.Request(asked, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request) as reply:
                status = reply.status
        except urllib.error.HTTPError as error:
            status = error.code
        assert status == answer
