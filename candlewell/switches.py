"""What each strategy of the fleet may do now, each by the clock of its own exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.controls import Control, Controls
from common.exchange_status import Exchanges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.database import Database


def switches(database: Database, exchange_of: Mapping[str, str], now: int) -> dict[str, Control]:
    """What holds for each strategy.

    Args:
        database: where the switches are.
        exchange_of: the exchange of each strategy_id.
        now: this machine's time, in milliseconds UTC; it serves for an exchange whose clock was never heard.
    """
    controls, exchanges = Controls(database), Exchanges(database)
    clocks = {exchange: exchanges.clock(exchange) for exchange in set(exchange_of.values())}
    times = {name: now if clock is None else clock.at(now) for name, clock in clocks.items()}
    return {
        strategy_id: controls.of(strategy_id, times[exchange])
        for strategy_id, exchange in exchange_of.items()
    }
