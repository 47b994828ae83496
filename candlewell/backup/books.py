"""Do a database's books add up? What every strategy's trades come to is what its positions say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.audit.rows import trade_of
from trader.core.money import ZERO, exactly
from trader.ledger.written import Written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.database import Database


def differences(database: Database, strategy_id: str) -> Iterator[str]:
    """One sentence for each sum that differs; none if the books add up.

    In base currency: what was bought less what was sold is what is held, or was written off as dust. In quote
    currency: what the trades brought is the realised profit less what the held amount has cost.
    """
    records = Written(database, strategy_id).records()
    symbols = {row.symbol for row in records.trades} | {row.symbol for row in records.positions}
    for symbol in sorted(symbols):
        try:
            trades = [trade_of(row) for row in records.trades if row.symbol == symbol]
        except ValueError as error:
            yield f"{strategy_id}: {error}"
            continue
        positions = [row for row in records.positions if row.symbol == symbol]
        with exactly():
            traded = sum((trade.base_change for trade in trades), ZERO)
            held = sum((row.amount + row.dust for row in positions), ZERO)
            brought = sum((trade.quote_change for trade in trades), ZERO)
            booked = sum((row.realised_profit - row.entry_cost for row in positions), ZERO)
        if traded != held:
            yield f"{strategy_id} {symbol}: expected to hold {traded:f} by its trades, found {held:f}"
        if brought != booked:
            yield f"{strategy_id} {symbol}: expected {brought:f} by its trades, found {booked:f} booked"
