"""What the taking of candles has to say to people: as events, each thing once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backfiller.parsing import Rejected
    from backfiller.shared import Shared
    from common.partition import Partition
    from common.revisions import Revision

_REMEMBERED = 1000
_EXAMPLES = 5  # of the rows that one answer had wrong


class Telling:
    """Writes the events of one exchange's candles."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._told: dict[str, None] = {}

    async def refused(self, partition: Partition, why: str) -> None:
        """The exchange does not have that symbol or timeframe any more."""
        await self._shared.record_once(
            "warning", "partition_refused", f"{partition}: {why}", **_fields(partition)
        )

    async def rejected(self, partition: Partition, rows: Sequence[Rejected]) -> None:
        """Rows that are no candles: one event for an answer, and none for what was told before."""
        new = [bad for bad in rows if self._is_new(f"{partition} {bad.reason} {shown(bad.row)}")]
        if not new:
            return
        more = f" (and {len(new) - 1} more rows)" if len(new) > 1 else ""
        examples = [{"reason": bad.reason, "row": shown(bad.row)} for bad in new[:_EXAMPLES]]
        await self._shared.record(
            "warning",
            "candle_rejected",
            f"{partition}: {new[0].reason}{more}",
            **_fields(partition),
            count=len(new),
            rows=examples,  # as text: they may hold what JSON cannot, such as nan
        )

    async def revised(self, revisions: Sequence[Revision]) -> None:
        """Candles that the exchange has corrected: one event for each partition of an answer."""
        for partition in dict.fromkeys(revision.partition for revision in revisions):
            own = [revision for revision in revisions if revision.partition == partition]
            more = f" (and {len(own) - 1} more candles)" if len(own) > 1 else ""
            await self._shared.record(
                "info",
                "candle_revised",
                f"{partition}: {own[0]}{more}",
                **_fields(partition),
                count=len(own),
                timestamps=[revision.new.timestamp for revision in own[:_EXAMPLES]],
            )

    async def reach(self, partition: Partition, note: str) -> None:
        """The exchange's API does not give what is older. Called once: the ledger remembers."""
        await self._shared.record(
            "warning", "history_out_of_reach", f"{partition}: {note}", **_fields(partition)
        )

    def _is_new(self, what: str) -> bool:
        if what in self._told:
            return False
        self._told[what] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return True


def _fields(partition: Partition) -> dict[str, Any]:
    return {
        "exchange": partition.exchange,
        "symbol": partition.symbol,
        "timeframe": partition.timeframe.value,
    }
