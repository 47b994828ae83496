"""`candlewell write-off`: closes a position in the books whose coins a person knows to be gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.clock import wall_now
from common.errors import ConfigurationError
from common.exchange_status import Exchanges
from common.instance import Instance
from common.registry import Registry
from trader.ledger import Ledger
from trader.ledger.ledger import BY_HAND

if TYPE_CHECKING:
    from common.database import Database
    from common.partition import Partition
    from trader.core.books import Books
    from trader.core.position import Position


def write_off(database: Database, strategy_id: str, reason: str) -> str:
    """Closes the open position with all that it holds as dust; a line that says what was done.

    What that cost becomes a loss, since no book knows what the coins were sold for, or where they went.

    Raises:
        ConfigurationError: there is no such strategy, its trader runs, it holds nothing, or an order is on its way.
    """
    registered = Registry(database).registered(strategy_id, key="STRATEGY_ID")
    instance = Instance(database.path.parent, strategy_id, key="STRATEGY_ID")
    try:
        ledger = Ledger(database, strategy_id, registered.starting_balance)
        books = ledger.books()
        position = _at_rest(strategy_id, books)
        now = max(_now(database, registered.partition, ledger), position.opened_at)
        closed = books.written_off(now, f"{BY_HAND}{reason}").position
        assert closed is not None
        ledger.record_write_off_by_hand(closed)
    finally:
        instance.release()
    base = closed.symbol.partition("/")[0]
    return f"{strategy_id}: {closed.dust:f} {base} written off ({reason})"


def _now(database: Database, partition: Partition, ledger: Ledger) -> int:
    """The exchange's time: not before the close of a candle that was decided on, whatever a clock says."""
    clock, evaluated = Exchanges(database).clock(partition.exchange), ledger.last_signal()
    now = wall_now() if clock is None else clock.now()
    return now if evaluated is None else max(now, partition.timeframe.close_of(evaluated))


def _at_rest(strategy_id: str, books: Books) -> Position:
    """The open position, of which nothing is being sold."""
    if books.pending is not None:
        raise ConfigurationError(
            f"{strategy_id}: expected no order on its way, found {books.pending.client_order_id}: its trader brings it "
            "to its end, if the exchange knows it"
        )
    if books.position is None:
        raise ConfigurationError(f"{strategy_id}: expected an open position, found none")
    return books.position
