"""A daemon of the suite as it is, that also notes when its candles and its ledger transactions were committed.

    python -m tests.load.timed backfiller|trader FILE

Nothing of the daemon is replaced: the calls that commit are timed from outside, each with a line in FILE. Times are of the
kernel's monotonic clock in nanoseconds, which all processes and containers of a machine share.

    candle,EXCHANGE,SYMBOL,TIMEFRAME,OPEN TIME,COMMITTED AT
    signal,OPEN TIME,COMMITTED AT
    ledger,TOOK,COMMITTED AT     from the call, through its waiting for the lock, to the end of the commit
"""

from __future__ import annotations

import csv
import sys
import threading
import time
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def main(daemon: str, file: Path) -> int:
    """Runs that daemon; its exit status."""
    with file.open("a", encoding="utf-8", newline="") as stream:
        note = csv.writer(stream).writerow
        if daemon == "trader":
            _time_ledger(note)
            from trader.__main__ import main as trade  # noqa: PLC0415 - loads what a trader loads, no more

            return trade([])
        _time_candles(note)
        from backfiller.__main__ import main as backfill  # noqa: PLC0415

        return backfill([])


def _time_ledger(note: Callable[[Sequence[object]], object]) -> None:
    """Every transaction of the ledger, and the candles that were signalled in one."""
    from trader.ledger import Ledger  # noqa: PLC0415

    def timed(name: str) -> Callable[..., Any]:
        method = getattr(Ledger, name)

        @wraps(method)
        def call(ledger: Ledger, first: Any, *rest: Any, **named: Any) -> Any:
            began = time.monotonic_ns()
            answer = method(ledger, first, *rest, **named)
            ended = time.monotonic_ns()
            note(("ledger", ended - began, ended))
            if name == "record_signals":
                for one in first:
                    note(("signal", one.signal.timestamp, ended))
            return answer

        return call

    for name in ("record_signals", "record_order", "record_outcome", "record_write_off"):
        setattr(Ledger, name, timed(name))


def _time_candles(note: Callable[[Sequence[object]], object]) -> None:
    """The candles that each transaction has inserted."""
    from backfiller import revisions  # noqa: PLC0415
    from common.database import Database  # noqa: PLC0415

    inserted = threading.local()
    name = "insert_candles"  # which it takes from common.market_data
    insert, write = getattr(revisions, name), Database.write

    def insert_candles(connection: Any, partition: Any, candles: Any) -> int:
        inserted.rows.extend((partition, candle.timestamp) for candle in candles)
        return int(insert(connection, partition, candles))

    @contextmanager
    def timed_write(database: Database) -> Iterator[Any]:
        inserted.rows = []
        with write(database) as connection:
            yield connection
        ended = time.monotonic_ns()
        for partition, timestamp in inserted.rows:
            market = (partition.exchange, partition.symbol, partition.timeframe.value)
            note(("candle", *market, timestamp, ended))

    setattr(revisions, name, insert_candles)
    setattr(Database, write.__name__, timed_write)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
