"""How far the filling of each partition has come: a bar for a person, log lines for a file."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:
    from common.partition import Partition

_SAY_EVERY_S = 10.0
_WORTH_SAYING = 2  # candles: what a close brings is not a backfill


class Progress(Protocol):
    """What the filling of partitions is told to. Counts are candles, stored or found not to exist."""

    def begin(self, partition: Partition, needed: int) -> None:
        """A partition lacks so many."""

    def advance(self, partition: Partition, done: int) -> None:
        """So many more of them are done."""

    def end(self, partition: Partition) -> None:
        """Nothing more is done for it now."""

    def close(self) -> None:
        """The daemon ends."""


@dataclass(slots=True)
class _Count:
    needed: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)

    def rate(self) -> int:
        return round(self.done / max(time.monotonic() - self.began, 0.001))


def _say(what: str, partition: Partition, count: _Count) -> None:
    structlog.get_logger().info(
        what,
        partition=str(partition),
        done=count.done,
        needed=count.needed,
        candles_per_s=count.rate(),
    )


class LogProgress:
    """Log lines: at the beginning, at the end, and each ten seconds between."""

    def __init__(self) -> None:
        self._counts: dict[Partition, _Count] = {}
        self._log = structlog.get_logger()

    def begin(self, partition: Partition, needed: int) -> None:
        """See Progress."""
        self._counts[partition] = _Count(needed)
        if needed > _WORTH_SAYING:
            self._log.info("backfill_begins", partition=str(partition), needed=needed)

    def advance(self, partition: Partition, done: int) -> None:
        """See Progress."""
        count = self._counts.get(partition)
        if count is None:
            return
        count.done += done
        if time.monotonic() - count.said > _SAY_EVERY_S:
            count.said = time.monotonic()
            _say("backfill_goes_on", partition, count)

    def end(self, partition: Partition) -> None:
        """See Progress."""
        count = self._counts.pop(partition, None)
        if count is not None and count.needed > _WORTH_SAYING:
            _say("backfill_ends", partition, count)

    def close(self) -> None:
        """See Progress."""


class BarProgress:
    """A bar for each partition that lacks something, below the log, while somebody watches."""

    def __init__(self) -> None:
        # Only here: a daemon that nobody watches does not pay for it.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        self._tasks: dict[Partition, tuple[Any, _Count]] = {}
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} candles/s"),
            console=Console(stderr=True),
        )
        self._bars.start()

    def begin(self, partition: Partition, needed: int) -> None:
        """See Progress."""
        self.end(partition)
        if needed > _WORTH_SAYING:
            task = self._bars.add_task(str(partition), total=needed, rate=0)
            self._tasks[partition] = (task, _Count(needed))

    def advance(self, partition: Partition, done: int) -> None:
        """See Progress."""
        if partition in self._tasks:
            task, count = self._tasks[partition]
            count.done += done
            self._bars.update(task, advance=done, rate=count.rate())

    def end(self, partition: Partition) -> None:
        """See Progress."""
        if partition in self._tasks:
            task, count = self._tasks.pop(partition)
            self._bars.remove_task(task)
            _say("backfill_ends", partition, count)

    def close(self) -> None:
        """See Progress."""
        self._bars.stop()


def watched() -> Progress:
    """What suits who is watching: a terminal gets bars, anything else log lines.

    Call it before the log is set up: the bars have to know what else is written to the terminal.
    """
    return BarProgress() if sys.stderr.isatty() else LogProgress()
