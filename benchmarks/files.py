"""Import, archive and their price for the others: rates, memory, bytes a row, the longest write stall.

    python -m benchmarks.files [--rows 5000000] [--formats csv,binance,parquet]

Makes files of that many one-minute candles, imports each into a new database in a child process, and archives
the last one. Meanwhile another process commits a row each ten milliseconds, as a trader does (synchronous=FULL),
and says how long the longest of its transactions took, from asking for the lock to the end of the commit.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import sqlalchemy as sa

import schema
from common.clock import wall_now
from common.database import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MINUTE = 60_000
TOLD = ("--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1m")
COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
# The kernel's own peak of this process alone: ru_maxrss would begin with its parent's.
_PROGRAM = """
import re, sys
from backfiller.__main__ import main
status = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
sys.exit(status)
"""


@dataclass(slots=True)
class Stalls:
    """Of each transaction of another process: how long it waited for the lock, and took in all (ms)."""

    took: list[tuple[float, float]] = field(default_factory=list)

    def __str__(self) -> str:
        waited, whole = (sorted(times) for times in zip(*self.took, strict=True))
        return (
            f"waited for the lock {_spread(waited)}; with its own commit {_spread(whole)} "
            f"(median, p99, longest of {len(whole)})"
        )


def _spread(ordered: list[float]) -> str:
    p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return f"{ordered[len(ordered) // 2]:.1f}, {p99:.1f}, {ordered[-1]:.1f} ms"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--formats", default="csv,binance,parquet")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _alone(folder)
        for kind in options.formats.split(","):
            file = _file(folder, kind, options.rows)
            url = _import(folder, kind, file, options.rows)
        _archive(url, options.rows)


def _alone(folder: Path) -> None:
    url = f"sqlite:///{folder / 'alone' / 'trading.db'}"
    schema.upgrade(url)
    with _another_writer(url) as stalls:
        time.sleep(3)
    print(f"another writer, alone: {stalls}")


def _import(folder: Path, kind: str, file: Path, rows: int) -> str:
    url = f"sqlite:///{folder / kind / 'trading.db'}"
    schema.upgrade(url)
    with _another_writer(url) as stalls:
        cost = _child(url, "import", str(file), *TOLD)
    size = Path(url.removeprefix("sqlite:///")).stat().st_size
    print(
        f"import {kind}: {cost.of(rows)}, "
        f"file {file.stat().st_size / rows:.1f} and database {size / rows:.1f} bytes a row"
    )
    print(f"  another writer: {stalls}")
    print(f"  the same again, all there: {_child(url, 'import', str(file), *TOLD).of(rows)}")
    return url


def _archive(url: str, rows: int) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    before = path.stat().st_size
    with _another_writer(url) as stalls:
        cost = _child(url, "archive")
    files = list((path.parent / "archive").rglob("*.parquet"))
    if not files:
        print(f"archive: nothing, since all {rows:,} rows are younger than what it takes")
        return
    archived = sum(pl.scan_parquet(file).select(pl.len()).collect().item() for file in files)
    size = sum(file.stat().st_size for file in files)
    print(
        f"archive {archived:,} of {rows:,} rows in {len(files)} months: {cost.of(archived)}, "
        f"{size / archived:.1f} bytes a row; the database file "
        f"went from {before / 1e6:.0f} to {path.stat().st_size / 1e6:.0f} MB"
    )
    print(f"  another writer: {stalls}")


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a command took: seconds, seconds of processor, and its peak resident memory in MB."""

    took_s: float
    cpu_s: float
    peak_mb: float

    def of(self, rows: int) -> str:
        return (
            f"{rows / self.took_s:,.0f} rows/s ({self.took_s:.1f} s, {self.cpu_s:.1f} s of processor), "
            f"peak {self.peak_mb:.0f} MB"
        )


def _child(url: str, *words: str) -> _Cost:
    """Runs a command of the backfiller."""
    environment = os.environ | {"DATABASE_URL": url, "BACKFILLER_CONFIG": "config/backfiller.yml"}
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    took_s, after = time.perf_counter() - began, os.times()
    cpu_s = sum(after[2:4]) - sum(before[2:4])
    return _Cost(took_s, cpu_s, int(done.stdout.split()[-1]) / 1024)


@contextmanager
def _another_writer(url: str) -> Iterator[Stalls]:
    """Another process that commits small rows; what it measured is there when the block has ended."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    answer: Any = context.Queue()
    writer = context.Process(target=_write, args=(url, ready, stop, answer))
    writer.start()
    ready.wait()
    stalls = Stalls()
    try:
        yield stalls
    finally:
        stop.set()
        stalls.took = answer.get()
        writer.join()


def _write(url: str, ready: Any, stop: Any, answer: Any) -> None:
    database = connect(url)
    row = {"source": "x", "level": "info", "kind": "x", "message": "", "detail": "{}"}
    took = []
    ready.set()
    while not stop.wait(0.01):
        began = time.perf_counter()
        with database.write() as connection:
            entered = time.perf_counter()
            connection.execute(sa.insert(schema.events), row | {"timestamp": wall_now()})
        took.append(((entered - began) * 1000, (time.perf_counter() - began) * 1000))
    database.close()
    answer.put(took)


def _file(folder: Path, kind: str, rows: int) -> Path:
    """Candles of a market that wanders, up to now, in a file of that format."""
    frame = _candles(rows)
    path = folder / {"binance": "BTCUSDT-1m.zip"}.get(kind, f"candles.{kind}")
    if kind == "csv":
        frame.write_csv(path)
    elif kind == "parquet":
        frame.write_parquet(path, row_group_size=100_000)
    else:
        extra = [
            pl.col("timestamp").add(MINUTE - 1).alias("close_time"),
            pl.lit(1.5).alias("quote"),
        ]
        extra += [pl.lit(7).alias("trades"), pl.lit(0.5).alias("base"), pl.lit(0.25).alias("taker")]
        extra.append(pl.lit(0).alias("ignore"))
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
            packed.open("BTCUSDT-1m.csv", "w", force_zip64=True) as member,
        ):
            for part in frame.with_columns(extra).iter_slices(500_000):
                member.write(part.write_csv(include_header=False).encode())
    return path


def _candles(rows: int) -> pl.DataFrame:
    last = wall_now() // MINUTE * MINUTE - 2 * MINUTE
    place = pl.int_range(rows, eager=False)

    def noise(seed: int) -> pl.Expr:
        return (place.hash(seed) % 10_001).cast(pl.Float64) / 10_000

    close = (((noise(1) - 0.5) * 0.001).cum_sum().exp() * 30_000).round(2)
    return (
        pl.select(
            timestamp=last - (rows - 1 - place) * MINUTE,
            close=close,
            up=(noise(2) * 20).round(2),
            down=(noise(3) * 20).round(2),
            volume=(noise(4) * 25).round(5),
        )
        .with_columns(open=pl.col("close").shift(1, fill_value=30_000.0))
        .with_columns(
            high=(pl.max_horizontal("open", "close") + pl.col("up")).round(2),
            low=(pl.min_horizontal("open", "close") - pl.col("down")).round(2),
        )
        .select(COLUMNS)
    )


if __name__ == "__main__":
    main()
