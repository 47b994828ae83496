"""How a program that trades must speak to each of the three exchanges through ccxt to do the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BALANCE_PARAMS: dict[str, dict[str, Any]] = {"binance": {}, "coinbase": {"v3": True}, "kraken": {}}


@dataclass(frozen=True)
class Dialect:
    exchange: str
    symbol: str

    @property
    def quote(self) -> str:
        return self.symbol.split("/")[1]

    def named(self, client_order_id: str) -> dict[str, str]:
        """The parameter that gives an order that client order id."""
        key = "client_order_id" if self.exchange == "coinbase" else "clientOrderId"
        return {key: client_order_id}

    async def balance(self, client: Any) -> Any:
        return await client.fetch_balance(BALANCE_PARAMS[self.exchange])

    async def bought(self, client: Any, amount: float, **params: Any) -> Any:
        """A market order of about that amount."""
        ask = (await client.fetch_ticker(self.symbol))["ask"]
        price = ask if self.exchange == "coinbase" else None
        return await client.create_order(self.symbol, "market", "buy", amount, price, params)

    async def limited(
        self, client: Any, side: str, amount: float, price: float, **params: Any
    ) -> Any:
        return await client.create_order(self.symbol, "limit", side, amount, price, params)

    async def orders(self, client: Any) -> list[Any]:
        """All orders in the market, whatever became of them, oldest first."""
        if self.exchange != "kraken":
            return list(await client.fetch_orders(self.symbol))
        found = await client.fetch_open_orders(self.symbol)
        found += await client.fetch_closed_orders(self.symbol)
        return sorted(found, key=lambda order: order["timestamp"])

    async def found(self, client: Any, client_order_id: str) -> list[Any]:
        """The orders that carry that client order id."""
        if self.exchange == "kraken":
            named = {"clientOrderId": client_order_id}
            found = await client.fetch_open_orders(self.symbol, params=named)
            return list(found + await client.fetch_closed_orders(self.symbol, params=named))
        return [
            order
            for order in await self.orders(client)
            if order["clientOrderId"] == client_order_id
        ]


DIALECTS = [
    Dialect("binance", "BTC/USDT"),
    Dialect("coinbase", "BTC/USD"),
    Dialect("kraken", "BTC/USD"),
]
