"""Which partitions are needed, and how far back: configured ones and those of registered strategies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backfiller.planner import Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backfiller.settings import BackfillerSettings
    from common.partition import Partition

_SLACK = 1.2  # more than a warm-up asks for: some of its candles may turn out not to exist
_SLACK_CANDLES = 50


@dataclass(frozen=True, slots=True)
class Need:
    """One partition, however many traders read it.

    `history` is how far back from now, in milliseconds; `since` an open time from which on; `warmup`
    the candles that a registered strategy needs. The longest of them holds. `key` is the place in the
    configuration file that names the partition; None if only a strategy does. `feeds` are the needs
    of what is built of its candles.
    """

    partition: Partition
    history: int
    since: int | None = None
    warmup: int = 0
    key: str | None = None
    feeds: tuple[Need, ...] = ()

    def wanted(self, now: int) -> Span | None:
        """The candles that should be there at `now`, by the exchange's clock; None: not one yet."""
        newest = self.partition.timeframe.newest_closed(now)
        first = min([self._first(now), *(need._first(now) for need in self.feeds)])
        return Span(first, newest) if first <= newest else None

    def _first(self, now: int) -> int:
        """The open time of its own first candle, whether or not that has closed."""
        timeframe = self.partition.timeframe
        begin = now - self.history if self.since is None else self.since
        if self.warmup:
            candles = int(self.warmup * _SLACK) + _SLACK_CANDLES
            begin = min(begin, timeframe.newest_closed(now) - candles * timeframe.milliseconds)
        return max(timeframe.ceil(begin), 0)


def configured(settings: BackfillerSettings, file: Path) -> dict[Partition, Need]:
    """The needs that the configuration names, which was read from `file`."""
    needs = {}
    for number, wanted in enumerate(settings.partitions):
        history = settings.history if wanted.history is None else wanted.history
        needs[wanted.partition] = Need(
            wanted.partition, history, wanted.since, key=f"{file}: partitions.{number}"
        )
    return needs


def combined(
    configured: Mapping[Partition, Need], registered: Mapping[Partition, int], history: int
) -> dict[Partition, Need]:
    """All needs: the configured ones, with the warm-up of the strategies that read them, and the rest."""
    needs = dict(configured)
    for partition, warmup in registered.items():
        known = needs.get(partition) or Need(partition, history)
        needs[partition] = replace(known, warmup=warmup)
    return needs


def with_sources(
    needs: Mapping[Partition, Need], built: Mapping[Partition, Partition]
) -> dict[Partition, Need]:
    """What has to be fetched for these needs, where some are `built` of other partitions."""
    fetched = {partition: need for partition, need in needs.items() if partition not in built}
    for partition, source in built.items():
        known = fetched.get(source) or Need(source, history=0)
        fetched[source] = replace(known, feeds=(*known.feeds, needs[partition]))
    return fetched
