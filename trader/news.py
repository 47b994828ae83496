"""What wakes a trader: its partition, the prices of its symbol, its switches; and each commit while an order is on its way.

In a fleet somebody commits all the time: a signal, a heartbeat, a candle of another market. A pass for each of them would be
most of what a fleet does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.controls import newest_change_of
from common.market_data import newest_candle_of, newest_ticker_of
from common.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from common.database import Database
    from common.partition import Partition


class News:
    """The news for one trader. `awaits_fill` tells whether an order is with the broker."""

    def __init__(
        self,
        database: Database,
        partition: Partition,
        strategy_id: str,
        awaits_fill: Callable[[], bool],
    ) -> None:
        self._awaits_fill = awaits_fill
        self._watch = Watch(
            database,
            newest_candle_of(partition),
            newest_ticker_of(partition.exchange, partition.symbol),
            newest_change_of(strategy_id),
        )

    def token(self) -> Hashable:
        """Something that differs from its last value if there is news.

        Raises:
            TransientError: the database was not to be had.
        """
        commits, rows = self._watch.look()
        return (*rows, commits if self._awaits_fill() else None)

    def close(self) -> None:
        """Gives its connection back."""
        self._watch.close()
