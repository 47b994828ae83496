"""A daemon as a process, and its container's health check as another one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
DEADLINE_S = 90.0
_FORGIVEN_S = 4.0


def until(condition: Callable[[], object], what: str, within_s: float = DEADLINE_S) -> None:
    """Waits for it."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"within {within_s:.0f} s: expected {what}"
        time.sleep(0.05)


class Daemon:
    """`python -m backfiller` or `python -m trader`, after the lines `first`, which may spoil or hasten something."""

    def __init__(
        self, module: str, folder: Path, database_url: str, *, first: str = "", **settings: str
    ) -> None:
        program = f"{first}\nimport sys\nfrom {module}.__main__ import main\nsys.exit(main([]))"
        self.file = folder / f"{module}.heartbeat"
        self.log = folder / f"{module}.log"
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "DATABASE_URL": database_url,
            "HEARTBEAT_FILE": str(self.file),
            "LOG_FORMAT": "json",
            **settings,
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=output,
            )

    def check(self) -> tuple[int, str]:
        """The exit status of its health check, and the line that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "common.healthcheck"],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def until_said(self, status: int, words: str, within_s: float = DEADLINE_S) -> str:
        """Waits until its check ends so and says that; the whole line."""
        found = (-1, "")
        deadline = time.monotonic() + within_s
        while not (found[0] == status and words in found[1]):
            told = (
                f"expected {status} with {words!r}, found {found}\n{self.log.read_text()[-2000:]}"
            )
            assert time.monotonic() < deadline, told
            assert self.process.poll() is None, told
            time.sleep(0.1)
            found = self.check()
        return found[1]

    def stays_healthy(self, for_s: float) -> None:
        """Asks the check all that time; as Docker does, it forgives a moment, which a busy machine may take."""
        deadline, last_well = time.monotonic() + for_s, time.monotonic()
        while time.monotonic() < deadline:
            status, said = self.check()
            if status == 0:
                last_well = time.monotonic()
            assert time.monotonic() - last_well < _FORGIVEN_S, said
            time.sleep(0.2)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
