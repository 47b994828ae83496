from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from tests.practice.running import IN_BASE64, ROOT, credentials_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.practice.running import Practice


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"apiKey": "stranger"}, ccxt.AuthenticationError, "EAPI:Invalid key"),
        ({"secret": "d3Jvbmc="}, ccxt.ExchangeError, "EAPI:Invalid signature"),
    ],
)
def test_a_request_without_the_right_key_and_signature_is_refused(
    practice: Practice, wrong: dict[str, str], error: type[Exception], text: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=text) as raised:
        practice.asked(
            "kraken",
            lambda client: client.fetch_balance(),
            **{**credentials_of("kraken"), **wrong},
        )
    assert raised.type is error


def test_a_nonce_must_be_higher_than_the_last_one_of_its_key(practice: Practice, key: str) -> None:
    async def behind(client: Any) -> Any:
        await client.fetch_balance()
        now = client.nonce()
        client.nonce, client.options["lastNonce"] = lambda: now - 60_000, 0
        with pytest.raises(ccxt.InvalidNonce):
            await client.fetch_balance()
        client.nonce = lambda: now + 60_000  # a clock that is ahead is not noticed
        return await client.fetch_balance()

    credentials = credentials_of("kraken", key)
    assert practice.freshly_asked("kraken", behind, **credentials)["BTC"]["free"] == 2
    with pytest.raises(ccxt.InvalidNonce):
        practice.freshly_asked("kraken", lambda client: client.fetch_balance(), **credentials)


def test_the_documents_tell_the_secret_of_the_default_key_as_kraken_wants_it() -> None:
    assert f"`{IN_BASE64}`" in (ROOT / "docs" / "PRACTICE.md").read_text(encoding="utf-8")


def test_one_pair_of_key_and_secret_can_serve_all_three(started: Callable[..., Practice]) -> None:
    practice = started("--key", f"mine:{IN_BASE64}")
    for exchange in ("binance", "coinbase", "kraken"):
        balance = practice.asked(
            exchange, lambda client: client.fetch_balance(), apiKey="mine", secret=IN_BASE64
        )
        assert balance["USDT"]["free"] == 10_000
