"""The books of a stage against what its exchange says."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.trader.running import rows
from tests.trader_live.stage import BALANCE

if TYPE_CHECKING:
    from tests.trader_live.stage import Stage


def require_equal(stage: Stage, before: tuple[Decimal, Decimal]) -> None:
    """Fails unless money and orders are the same in the books and at the exchange.

    `before` is what the account held, base and quote, when the books began.
    """
    books = stage.ledger.books()
    base, quote = stage.held()
    held = Decimal(0) if books.position is None else books.position.amount
    assert base - before[0] == held + dust(stage), rows(stage.database, "SELECT * FROM orders")
    assert quote - before[1] == books.cash - BALANCE
    known = rows(stage.database, "SELECT client_order_id FROM orders WHERE exchange_order_id > ''")
    assert sorted(own_ids(stage)) == sorted(str(name) for (name,) in known)


def dust(stage: Stage) -> Decimal:
    """What was written off."""
    found = rows(stage.database, "SELECT dust FROM positions")
    return sum((Decimal(str(amount)) for (amount,) in found), Decimal(0))


def own_ids(stage: Stage) -> list[str]:
    """The own ids of all orders of the account, as the exchange tells them; one twice if it has it twice."""

    async def ask(client: Any) -> list[str]:
        if stage.exchange == "kraken":
            found = await client.fetch_open_orders(stage.symbol)
            found += await client.fetch_closed_orders(stage.symbol)
        else:
            found = await client.fetch_orders(stage.symbol)
        return [order["clientOrderId"] for order in found]

    told: list[str] = stage.ask(ask)
    return told
