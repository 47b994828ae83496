"""Resident memory of each daemon in its container, after it has worked for a while.

    python -m benchmarks.memory [--seconds 60]

Builds the image, starts the practice suite under a project name of its own on a temporary data folder, waits until
all is healthy and some time has passed, and reads /proc/PID/status inside each container: `RSS` is all resident
memory of the daemon's process, `private` the part that no other container can share (anonymous), the rest are
pages of libraries, which the containers of one image share. Then it shows what each import adds, in the same image.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
COMPOSE = (
    "docker",
    "compose",
    "-p",
    "candlewell-memory",
    "-f",
    "docker-compose.yml",
    "-f",
    "docker-compose.practice.yml",
)
IMPORTS = {
    "trader": "sqlalchemy pysqlite3.dbapi2 pydantic yaml structlog pandas ta.momentum trader.composition",
    "backfiller": "sqlalchemy pysqlite3.dbapi2 pydantic yaml structlog apscheduler.schedulers.asyncio common.exchange "
    "backfiller.__main__",
}
_STATUS = "grep -h -E '^(Name|Pid|VmRSS|RssAnon):' /proc/[0-9]*/status"
_MB = 1024 / 1_000_000  # of the kB in /proc, which are 1024 bytes
_PROBE = """
import importlib, sys
def rss():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))
seen = rss()
print(f"  python alone {seen:.1f} MB")
for name in sys.argv[1:]:
    importlib.import_module(name)
    now = rss()
    print(f"  + {name} {now - seen:.1f} MB")
    seen = now
print(f"  in all {seen:.1f} MB")
"""


def main() -> None:
    """Prints a line for each container, then what the imports take."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with _practice_suite() as environment:
        time.sleep(options.seconds)  # the work whose memory is measured
        for name in _compose(environment, "ps", "--services", "--status", "running").split():
            resident, private = _largest_process(
                _compose(environment, "exec", "-T", name, "sh", "-c", _STATUS)
            )
            print(f"{name:24} RSS {resident:6.1f} MB, private {private:6.1f} MB", flush=True)
    for daemon, modules in IMPORTS.items():
        print(f"{daemon}, import by import:")
        command = ("docker", "run", "--rm", "candlewell", "python", "-c", _PROBE, *modules.split())
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")


@contextmanager
def _practice_suite() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DATA_DIR": folder}
        if os.geteuid() == 0:
            os.chown(folder, 1000, 1000)
        try:
            _compose(environment, "up", "--build", "--detach", "--wait")
            yield environment
        finally:
            _compose(environment, "down", "--volumes")


def _compose(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [*COMPOSE, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"docker compose {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def _largest_process(status: str) -> tuple[float, float]:
    """Resident and private memory, in MB, of the process that has most: the daemon, beside its init."""
    found = []
    for block in status.split("Name:")[1:]:
        sizes = {
            line.split()[0]: int(line.split()[1])
            for line in block.splitlines()
            if line.startswith(("Vm", "Rss"))
        }
        if "VmRSS:" in sizes:
            found.append((sizes["VmRSS:"] * _MB, sizes["RssAnon:"] * _MB))
    return max(found)


if __name__ == "__main__":
    main()
