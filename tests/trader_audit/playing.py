"""A trader's story on a real database, and the audit of what it wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from common.registry import Registration, Registry
from tests.trader.stage import BALANCE, ID, RULES, STRATEGY, advance, engine_on
from tests.trader.test_restart import Play
from trader.audit.audit import audit
from trader.brokers.paper import PaperBroker

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from tests.trader.market import TestMarket
    from tests.trader.test_restart import Event
    from trader.audit.difference import Difference
    from trader.core.rules import Rules

_AWAY = 4  # events, that one included
_RULES = {
    "stake": "stake_amount",
    **{
        name: name
        for name in (
            "stake_share", "stop_loss", "take_profit", "trailing_stop", "max_holding", "cooldown", "daily_loss",
            "max_drawdown", "symbol_cap", "fee_rate", "max_signal_age_s",
        )
    },
}  # fmt: skip


def registration(market: TestMarket, rules: Rules = RULES, **parameters: Any) -> Registration:
    """A strategy as its trader registers it at a start."""
    return Registration(
        strategy_id=ID,
        partition=market.partition,
        strategy_name="rsi",
        config_file=None,
        mode="paper",
        parameters={"period": 2, **parameters},
        warmup=STRATEGY.warmup,
        starting_balance=BALANCE,
        rules=written_rules(rules, BALANCE),
    )


def written_rules(rules: Rules, balance: Decimal) -> dict[str, str | None]:
    """The rules as a registration holds them."""
    written = {
        key: None if (value := getattr(rules, name)) is None else str(value)
        for name, key in _RULES.items()
    }
    return {"starting_balance": str(balance), "order_type": rules.order_type.value, **written}


class AuditedPlay(Play):
    """A story of `tests.trader.test_restart`, by a strategy that is registered with its rules."""

    def __init__(self, made: Path, folder: str, rules: Rules = RULES, mode: str = "paper") -> None:
        super().__init__(made, folder)
        registered = replace(registration(self.market, rules), mode=mode)
        Registry(self.market.database).register(registered)

    def tell(
        self,
        story: list[Event],
        rules: Rules,
        *,
        restarts: bool,
        broker: type[PaperBroker] = PaperBroker,
    ) -> None:
        """Lets the trader, or a new one each time, have its turn after each event; "away" is it for three of them."""
        engine = engine_on(self.market, rules=rules, broker=broker)
        advance(engine)
        away = 0
        for event in story:
            self.happen(event)
            away = _AWAY if event.kind == "away" else max(0, away - 1)
            if not away:
                if restarts:
                    engine = engine_on(self.market, rules=rules, broker=broker)
                advance(engine)
        advance(engine)


def differences(market: TestMarket) -> list[Difference]:
    """What the audit finds."""
    return audit(market.database, ID, None, None).differences


def change(market: TestMarket, statement: str, **values: object) -> int:
    """Changes rows behind the trader's back; how many."""
    with market.database.write() as connection:
        return connection.execute(sa.text(statement), values).rowcount
