"""One file into the database: read, checked, stored, and told of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backfiller.files.checking import check, coarser
from backfiller.files.errors import BadFile
from backfiller.files.frame import COLUMNS
from backfiller.files.reading import read
from backfiller.files.storing import Store
from common.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

    from backfiller.files.formats import Format
    from backfiller.files.storing import Contradiction, Outcome
    from common.database import Database
    from common.events import EventLog
    from common.market_data import Row
    from common.partition import Partition

_EXAMPLES = 5  # of each sort of row that was not stored, in the event
REPEATED = "a second row of its candle, with other values"


@dataclass(slots=True)
class Summary:
    """What became of a file's rows. `examples` are the first of each sort that was not stored."""

    path: Path
    partition: Partition
    stored: int = 0
    there: int = 0
    different: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether every row of the file is in the database now as it is in the file."""
        return not self.rejected and not self.different

    def __str__(self) -> str:
        parts = [f"{self.stored} stored", f"{self.there} already there"]
        if self.different:
            parts.append(f"{self.different} different from the candle there, which is kept")
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.rejected.items())
        parts.append(
            f"{sum(self.rejected.values())} rejected" + (f" ({reasons})" if reasons else "")
        )
        return f"{self.path.name}: {self.partition}: {', '.join(parts)}"

    def reject(self, reason: str, rows: Sequence[dict[str, Any]], count: int) -> None:
        """Counts rows that were not stored."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count
        self.show(reason, rows)

    def show(self, sort: str, rows: Sequence[dict[str, Any]]) -> None:
        """Keeps the first rows of that sort."""
        kept = self.examples.setdefault(sort, [])
        kept.extend(rows[: _EXAMPLES - len(kept)])


def import_file(
    path: Path, kind: Format, partition: Partition, database: Database, *, now: int
) -> Summary:
    """Stores a file's candles, in many short transactions; what is stored stays if it fails later.

    Args:
        path: the file.
        kind: its format.
        partition: whose candles they are.
        database: where they go.
        now: this machine's time: a candle that had not closed by then is rejected.

    Raises:
        BadFile: the file is not what its format says.
        DatabaseLocked: the write lock was not to be had within 10 seconds.
    """
    summary = Summary(path, partition)
    store = Store(database, Archive(database), partition, now=now)
    for block in read(path, kind):
        checked = check(block, partition.timeframe, now)
        if longer := coarser(checked.good, partition.timeframe):
            raise BadFile(
                f"{path}: expected candles of {partition.timeframe}, found those of {longer}"
            )
        _note_rejected(summary, checked.rejected)
        for rows in _batches(checked.good, store):
            _note(summary, store.take(rows))
    return summary


def record(summary: Summary, events: EventLog) -> None:
    """Writes the event of an imported file."""
    events.keep(
        "info" if summary.is_clean else "warning",
        "file_imported",
        str(summary),
        file=str(summary.path),
        exchange=summary.partition.exchange,
        symbol=summary.partition.symbol,
        timeframe=summary.partition.timeframe.value,
        stored=summary.stored,
        already_there=summary.there,
        different=summary.different,
        rejected=summary.rejected,
        examples=summary.examples,
    )


def _batches(frame: pl.DataFrame, store: Store) -> Iterator[list[Row]]:
    """The rows in the order of time, as it pays to store them; of the same time, as in the file."""
    ordered = frame.select(COLUMNS).sort("timestamp", maintain_order=True)
    while not ordered.is_empty():
        size = store.batch
        yield ordered.head(size).rows()
        ordered = ordered.slice(size)


def _note(summary: Summary, outcome: Outcome) -> None:
    summary.stored += outcome.stored
    summary.there += outcome.there
    summary.different += len(outcome.different)
    if outcome.different:
        summary.show("different", _told(outcome.different))
    if outcome.repeated:
        summary.reject(REPEATED, _told(outcome.repeated), len(outcome.repeated))


def _note_rejected(summary: Summary, rejected: pl.DataFrame) -> None:
    if rejected.is_empty():
        return
    for (reason,), rows in rejected.group_by("reason", maintain_order=True):
        some = rows.head(_EXAMPLES).drop("reason").to_dicts()
        summary.reject(str(reason), some, rows.height)


def _told(contradictions: Sequence[Contradiction]) -> list[dict[str, Any]]:
    """The first of them, as the event shows them."""
    return [
        dict(zip(COLUMNS, each.row, strict=True)) | {"kept": list(each.kept[1:])}
        for each in contradictions[:_EXAMPLES]
    ]
