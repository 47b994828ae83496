"""What a freqtrade bot keeps in memory, in dry-run mode on the practice exchange."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.freqtrade import configured

if TYPE_CHECKING:
    from benchmarks.peers.environment import Environment

_STOP_WITHIN_S = 30


def resident_mb(environment: Environment, folder: Path, exchange_url: str, seconds: float) -> str:
    """Its resident memory after that time, or why there is none to tell."""
    own = folder / "bot"
    own.mkdir()
    database = f"sqlite:///{own / 'trades.sqlite'}"
    command = (environment.program("freqtrade"), "trade", *configured(own, exchange_url))
    with (own / "log").open("wb") as log:
        bot = subprocess.Popen([*command, "--db-url", database], stdout=log, stderr=log)
    try:
        time.sleep(seconds)
        if bot.poll() is not None:
            said = (own / "log").read_text(encoding="utf-8", errors="replace").split("\n")
            return f"not run: {' '.join(said[-3:])}"
        status = Path(f"/proc/{bot.pid}/status")
        if not status.exists():
            return "not told: this system has no /proc"
        found = re.search(r"VmRSS:\s+(\d+)", status.read_text(encoding="ascii"))
        return f"{int(found[1]) * 1024 / 1e6:.0f} MB resident" if found else "not told"
    finally:
        bot.terminate()
        try:
            bot.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            bot.kill()
