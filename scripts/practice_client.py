"""Asks a running practice exchange under /practice, see docs/PRACTICE.md: for the demo, the benchmarks and tests."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from common.partition import Partition

_ANSWER_WITHIN_S = 30.0
_TRUTH_AT_A_TIME = 10_000  # candles


class PracticeClient:
    """The rehearsal endpoints of the practice exchange at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def rehearsal(
        self, path: str, *, method: str = "GET", body: Any = None, **query: str | int
    ) -> Any:
        """What the practice exchange answers under /practice."""
        url = f"{self._url}/practice/{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)  # noqa: S310 - our own process
        with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN_S) as answer:  # noqa: S310
            return json.load(answer)

    def truth(self, partition: Partition, first: int, last: int) -> dict[int, tuple[float, ...]]:
        """The closed candles that open from `first` to `last` as they truly are, by their open time."""
        market = {"exchange": partition.exchange, "symbol": partition.symbol}
        market |= {"timeframe": partition.timeframe.value}
        found: dict[int, tuple[float, ...]] = {}
        since = first
        while since <= last:
            page = self.rehearsal("candles", **market, since=since, limit=_TRUTH_AT_A_TIME)
            if not page:
                break
            found |= {row[0]: tuple(row[1:]) for row in page if row[0] <= last}
            since = page[-1][0] + partition.timeframe.milliseconds
        return found
