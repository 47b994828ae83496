"""What each exchange tells the owner of an API key of its rights: withdrawals only for keys that were given them.

The forms are those of the exchanges' documents, with the fields that tell of rights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from practice.coinbase.wire import BROKERAGE
from practice.kraken.wire import result_form
from practice.private import signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from practice.binance.signing import BinanceGate
    from practice.coinbase.signing import CoinbaseGate
    from practice.desk import Desk
    from practice.keys import Keys
    from practice.kraken.signing import KrakenGate
    from practice.server import Routes


def binance_rights(
    routes: Routes, keys: Keys, gate: BinanceGate, desk: Desk, now_ms: Callable[[], int]
) -> None:
    """Adds Binance's question for a key's restrictions."""

    def answer(key: str, _: object, now: int) -> dict[str, Any]:
        can_withdraw = keys.can_withdraw(key)
        return {
            "ipRestrict": can_withdraw,  # Binance gives no withdrawals without it
            "createTime": now,
            "enableReading": True,
            "enableSpotAndMarginTrading": True,
            "enableWithdrawals": can_withdraw,
            "enableInternalTransfer": False,
            "permitsUniversalTransfer": False,
            "enableMargin": False,
            "enableFutures": False,
        }

    handler = signed(gate, desk, now_ms, answer)
    routes.add("GET", "/sapi/v1/account/apiRestrictions", "rights", handler)


def coinbase_rights(
    routes: Routes, keys: Keys, gate: CoinbaseGate, desk: Desk, now_ms: Callable[[], int]
) -> None:
    """Adds Coinbase's question for a key's permissions."""

    def answer(key: str, _: object, __: int) -> dict[str, Any]:
        return {
            "can_view": True,
            "can_trade": True,
            "can_transfer": keys.can_withdraw(key),
            "portfolio_uuid": str(uuid5(NAMESPACE_URL, key)),
            "portfolio_type": "DEFAULT",
        }

    handler = signed(gate, desk, now_ms, answer)
    routes.add("GET", f"{BROKERAGE}/key_permissions", "rights", handler)


def kraken_rights(
    routes: Routes, keys: Keys, gate: KrakenGate, desk: Desk, now_ms: Callable[[], int]
) -> None:
    """Adds Kraken's question for what it knows of a key."""

    def answer(key: str, _: object, __: int) -> dict[str, Any]:
        rights = ["query-funds", "query-open-trades", "query-closed-trades", "modify-trades"]
        rights += ["withdraw-funds"] if keys.can_withdraw(key) else []
        return result_form({"api_key_name": "practice", "api_key": key, "permissions": rights})

    handler = signed(gate, desk, now_ms, answer)
    routes.add("POST", "/0/private/GetApiKeyInfo", "rights", handler)
