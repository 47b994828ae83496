"""Tickers: the prices of this moment, one call for all symbols of an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backfiller.parsing import tickers_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backfiller.line import Line
    from backfiller.shared import Shared


class Tickers:
    """The tickers of one exchange."""

    def __init__(self, line: Line, shared: Shared) -> None:
        self._line = line
        self._shared = shared
        self._told: set[str] = set()

    async def take(self, symbols: Iterable[str]) -> None:
        """Stores the ticker of each symbol as it is now.

        Raises:
            TransientError: the call failed.
        """
        wanted = sorted(set(symbols))
        if not wanted:
            return
        answer = await self._line.call(lambda: self._line.source.tickers(wanted))
        clock = self._line.clock
        found, rejected = tickers_of(answer, wanted, clock)
        for bad in rejected:
            if bad.reason not in self._told:
                self._told.add(bad.reason)
                await self._shared.record(
                    "warning",
                    "ticker_rejected",
                    f"{self._line.exchange}: {bad.reason}",
                    exchange=self._line.exchange,
                    row=bad.row,
                )
        await self._shared.thread.run(
            self._shared.market_data.store_tickers,
            self._line.exchange,
            found,
            keep_since=clock.at(answer.sent_at) - self._shared.settings.ticker_history,
        )
