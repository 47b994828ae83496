"""What a whole process costs, from its start to its end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]

# By a process that is small itself: on Linux the peak of a child begins with that of who started it.
_MEASURE = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time and processor time in seconds, and peak resident memory in MB."""

    wall_s: float
    processor_s: float
    peak_mb: float


def cost_of(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Runs a command, given by its whole path, in the suite's folder; what it prints is dropped.

    Raises:
        CalledProcessError: it failed; `stderr` has what it said.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    wall, processor, peak = map(float, done.stdout.split())
    return Cost(wall, processor, peak * (1 if sys.platform == "darwin" else 1024) / 1e6)
