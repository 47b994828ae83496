"""Tickers: the prices of this moment, one call for all symbols of an exchange."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from backfiller.parsing import tickers_of
from common.errors import RejectedError, TransientError
from common.exchange_calls import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backfiller.line import Line
    from backfiller.shared import Shared

_WITHOUT_S = 600.0  # how long not to ask for a symbol that was refused
_PAUSE_S = 60.0  # and how long not to ask at all when every one was


class Tickers:
    """The tickers of one exchange."""

    def __init__(self, line: Line, shared: Shared) -> None:
        self._line = line
        self._shared = shared
        self._told: set[str] = set()
        self._refused: dict[str, float] = {}  # until when not to ask for a symbol

    async def take(self, symbols: Iterable[str]) -> None:
        """Stores the ticker of each symbol as it is now.

        Raises:
            TransientError: the call failed.
        """
        now = time.monotonic()
        wanted = sorted({one for one in symbols if self._refused.get(one, 0.0) <= now})
        if not wanted:
            return
        answer = await self._ask(wanted)
        if answer is None:
            return
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

    async def _ask(self, symbols: list[str]) -> Answer | None:
        """The tickers of those symbols; one that the exchange refuses does not cost the others theirs.

        Raises:
            TransientError: the call failed, or every one of several symbols was refused.
        """
        source = self._line.source
        try:
            return await self._line.call(lambda: source.tickers(symbols))
        except RejectedError as error:
            if len(symbols) == 1:
                await self._refuse(symbols[0], str(error))
                return None
        answers: list[Answer] = []
        refused: dict[str, str] = {}
        for symbol in symbols:
            try:
                answers.append(await self._line.call(partial(source.tickers, [symbol])))
            except RejectedError as error:
                refused[symbol] = str(error)
        if not answers:  # the exchange's fault rather than theirs
            self._refused |= dict.fromkeys(refused, time.monotonic() + _PAUSE_S)
            raise TransientError(f"{self._line.exchange}: all tickers were refused: {refused}")
        for symbol, why in refused.items():
            await self._refuse(symbol, why)
        content = {symbol: told for one in answers for symbol, told in one.content.items()}
        return Answer(content, answers[0].sent_at, answers[-1].arrived_at)

    async def _refuse(self, symbol: str, why: str) -> None:
        """Goes without that symbol for a while, and says so once."""
        self._refused[symbol] = time.monotonic() + _WITHOUT_S
        exchange = self._line.exchange
        message = f"{exchange} {symbol}: {why}"
        await self._shared.record_once(
            "warning", "ticker_refused", message, exchange=exchange, symbol=symbol
        )
